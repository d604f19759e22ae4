import {
  ByteReader,
  ByteWriter,
  decodeChangeBatches,
  decodeScannedObjects,
  encodeChangeBatches,
  encodeScannedObjects,
} from '#codec';
import { commitSeq, type ChangeBatch, type CommitSeq, type GroupId, type ScannedObject } from '#contracts';
import type { WatchFilter } from '#watch';
import { decodeBody } from '../cluster-bodies';

/** Asks a node that holds a replica for a page of a namespace's changes (`PeerKind.changes`). */
export interface ChangesQuestion {
  readonly group: GroupId;
  readonly ns: string;
  /** First position wanted, inclusive. */
  readonly from: number;
  readonly maxBytes: number;
  /** How long to wait for a change when there is none yet, in milliseconds. */
  readonly waitMs: number;
  /** A position that somebody claims to have seen: a quorum is asked before the answer if the replica lacks it. */
  readonly seen: number;
}

/** A page, and how far the replica that answered had come. */
export interface ChangesAnswer {
  readonly position: CommitSeq;
  readonly firstAvailable: CommitSeq;
  readonly through: CommitSeq;
  readonly batches: readonly ChangeBatch[];
}

/** Asks for the next page of a scan of the live objects (`PeerKind.scan`). */
export interface ScanQuestion {
  readonly group: GroupId;
  readonly ns: string;
  /** 0 opens a scan. */
  readonly scan: number;
  /** Number of the page, 0 first; the one given last may be asked for again. Below 0: the scan is over. */
  readonly page: number;
  readonly maxBytes: number;
  readonly filter: WatchFilter;
}

export interface ScanAnswer {
  readonly scan: number;
  readonly position: CommitSeq;
  /** Empty at the end of the scan. */
  readonly rows: readonly ScannedObject[];
}

export function encodeQuestion(question: ChangesQuestion | ScanQuestion): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(question));
}

export function decodeChangesQuestion(body: Uint8Array): ChangesQuestion {
  const number = 'number';
  const numbers = { group: number, from: number, maxBytes: number, waitMs: number, seen: number } as const;
  return decodeBody<ChangesQuestion>(body, { ...numbers, ns: 'string' });
}

export function decodeScanQuestion(body: Uint8Array): ScanQuestion {
  const number = 'number';
  const numbers = { group: number, scan: number, page: number, maxBytes: number } as const;
  return decodeBody<ScanQuestion>(body, { ...numbers, ns: 'string', filter: 'object' });
}

export function encodeChangesAnswer(answer: ChangesAnswer): Uint8Array {
  const batches = encodeChangeBatches(answer.batches);
  const writer = new ByteWriter(24 + batches.length);
  writer.u64(answer.position);
  writer.u64(answer.firstAvailable);
  writer.u64(answer.through);
  writer.raw(batches);
  return writer.finish();
}

export function decodeChangesAnswer(body: Uint8Array): ChangesAnswer {
  const reader = new ByteReader(body);
  return {
    position: commitSeq(reader.u64()),
    firstAvailable: commitSeq(reader.u64()),
    through: commitSeq(reader.u64()),
    batches: decodeChangeBatches(reader.raw(reader.remaining)),
  };
}

export function encodeScanAnswer({ scan, position, rows }: ScanAnswer): Uint8Array {
  const objects = encodeScannedObjects(rows);
  const writer = new ByteWriter(16 + objects.length);
  writer.u64(scan);
  writer.u64(position);
  writer.raw(objects);
  return writer.finish();
}

export function decodeScanAnswer(body: Uint8Array): ScanAnswer {
  const reader = new ByteReader(body);
  const scan = reader.u64();
  const position = commitSeq(reader.u64());
  return { scan, position, rows: decodeScannedObjects(reader.raw(reader.remaining)) };
}
