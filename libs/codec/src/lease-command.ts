import type { LeaseCommand } from '#contracts';
import type { ByteReader } from './byte-reader';
import { type ByteWriter, sizedLength, varintLength } from './byte-writer';
import { CodecError } from './codec-error';
import { LeaseAction } from './command-format';
import { utf8Length } from './utf8';

type Action = LeaseCommand['action'];
const ACTIONS: ReadonlyMap<number, Action> = new Map(
  Object.entries(LeaseAction).map(([action, number]) => [number, action as Action]),
);

/** Bytes of {@link writeLease}. */
export function leaseLength({ ns, key, owner, token = 0, ttlMs = 0 }: LeaseCommand): number {
  const texts = sizedLength(ns.length) + sizedLength(utf8Length(key)) + sizedLength(utf8Length(owner));
  return texts + 1 + varintLength(token) + varintLength(ttlMs);
}

export function writeLease(
  writer: ByteWriter,
  { ns, action, key, owner, token = 0, ttlMs = 0 }: LeaseCommand,
): void {
  writer.string(ns);
  writer.u8(LeaseAction[action]);
  writer.string(key);
  writer.string(owner);
  writer.varint(token);
  writer.varint(ttlMs);
}

export function readLease(reader: ByteReader): Omit<LeaseCommand, 'kind' | 'idempotency'> {
  const ns = reader.string();
  const number = reader.u8();
  const action = ACTIONS.get(number);
  if (action === undefined) throw new CodecError(`lease action of unknown kind ${number}`);
  const key = reader.string();
  const owner = reader.string();
  const token = reader.varint();
  const ttlMs = reader.varint();
  return { ns, action, key, owner, ...(token > 0 ? { token } : {}), ...(ttlMs > 0 ? { ttlMs } : {}) };
}
