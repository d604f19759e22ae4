import { ByteReader, ByteWriter, CodecError, decodeChangeBatches, encodeChangeBatches } from '#codec';
import { commitSeq, groupId, type ChangeBatch, type CommitSeq, type GroupId } from '#contracts';

/** One committed batch, or (a heartbeat) the position of a namespace's newest. */
export type BusMessage =
  | { readonly kind: 'batch'; readonly group: GroupId; readonly batch: ChangeBatch }
  | { readonly kind: 'newest'; readonly group: GroupId; readonly ns: string; readonly commitSeq: CommitSeq };

const VERSION = 1;
const BATCH = 1;
const NEWEST = 2;

export function encodeBatchMessage(group: GroupId, batch: ChangeBatch): Uint8Array {
  const batches = encodeChangeBatches([batch]);
  const writer = new ByteWriter(6 + batches.length);
  writer.u8(VERSION);
  writer.u8(BATCH);
  writer.u32(group);
  writer.raw(batches);
  return writer.finish();
}

export function encodeNewestMessage(group: GroupId, ns: string, newest: CommitSeq): Uint8Array {
  const writer = new ByteWriter(16 + 3 * ns.length);
  writer.u8(VERSION);
  writer.u8(NEWEST);
  writer.u32(group);
  writer.u64(newest);
  writer.string(ns);
  return writer.finish();
}

/** Throws {@link CodecError} on what no node of this version has written. */
export function decodeBusMessage(bytes: Uint8Array): BusMessage {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  const group = groupId(reader.u32());
  if (version !== VERSION || (kind !== BATCH && kind !== NEWEST)) {
    throw new CodecError(`a message of version ${version} and kind ${kind} on the bus`);
  }
  if (kind === NEWEST) {
    const newest = commitSeq(reader.u64());
    return { kind: 'newest', group, ns: reader.string(), commitSeq: newest };
  }
  const [batch] = decodeChangeBatches(reader.raw(reader.remaining));
  if (batch === undefined) throw new CodecError('a message without its batch on the bus');
  return { kind: 'batch', group, batch };
}
