import {
  ByteReader,
  ByteWriter,
  CodecError,
  decodeReadOutcome,
  decodeReadRequest,
  encodeReadOutcome,
  encodeReadRequest,
} from '#codec';
import { commitSeq, groupId, type GroupId, type ReadRequest } from '#contracts';
import type { Consistency, ReadAnswer } from '../engine';

/** A command on its way to a group's leader. */
export interface ForwardedWrite {
  readonly group: GroupId;
  /** Nodes it has passed; bounded, so that two nodes that take each other for the leader cannot play ball. */
  readonly hops: number;
  readonly timeoutMs: number;
  readonly command: Uint8Array;
}

export function encodeForwardedWrite({ group, hops, timeoutMs, command }: ForwardedWrite): Uint8Array {
  const writer = new ByteWriter(9 + command.length);
  writer.u32(group);
  writer.u8(hops);
  writer.u32(timeoutMs);
  writer.raw(command);
  return writer.finish();
}

export function decodeForwardedWrite(body: Uint8Array): ForwardedWrite {
  const reader = new ByteReader(body);
  const group = groupId(reader.u32());
  const hops = reader.u8();
  const timeoutMs = reader.u32();
  return { group, hops, timeoutMs, command: reader.raw(reader.remaining) };
}

/** A read that a node without a replica asks of one that has it. */
export interface ForwardedRead {
  readonly group: GroupId;
  readonly timeoutMs: number;
  readonly consistency: Consistency;
  readonly request: ReadRequest;
}

const LINEARIZABLE = 0;
const STALE = 1;
const STALE_FROM_POSITION = 2;

export function encodeForwardedRead({ group, timeoutMs, consistency, request }: ForwardedRead): Uint8Array {
  const asked = encodeReadRequest(request);
  const writer = new ByteWriter(17 + asked.length);
  writer.u32(group);
  writer.u32(timeoutMs);
  if (consistency.kind === 'linearizable') writer.u8(LINEARIZABLE);
  else writer.u8(consistency.minSeq === undefined ? STALE : STALE_FROM_POSITION);
  writer.u64(consistency.kind === 'stale' ? (consistency.minSeq ?? 0) : 0);
  writer.raw(asked);
  return writer.finish();
}

export function decodeForwardedRead(body: Uint8Array): ForwardedRead {
  const reader = new ByteReader(body);
  const group = groupId(reader.u32());
  const timeoutMs = reader.u32();
  const kind = reader.u8();
  const minSeq = commitSeq(reader.u64());
  if (kind > STALE_FROM_POSITION) throw new CodecError(`forwarded read: unknown consistency ${kind}`);
  const consistency: Consistency =
    kind === LINEARIZABLE
      ? { kind: 'linearizable' }
      : { kind: 'stale', minSeq: kind === STALE_FROM_POSITION ? minSeq : undefined };
  return { group, timeoutMs, consistency, request: decodeReadRequest(reader.raw(reader.remaining)) };
}

export function encodeReadAnswer({ outcome, commitSeq: position }: ReadAnswer): Uint8Array {
  const bytes = encodeReadOutcome(outcome);
  const writer = new ByteWriter(8 + bytes.length);
  writer.u64(position);
  writer.raw(bytes);
  return writer.finish();
}

export function decodeReadAnswer(body: Uint8Array): ReadAnswer {
  const reader = new ByteReader(body);
  const position = commitSeq(reader.u64());
  return { commitSeq: position, outcome: decodeReadOutcome(reader.raw(reader.remaining)) };
}
