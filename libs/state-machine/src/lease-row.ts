import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8, sizedLength, utf8Length } from '#codec';
import type { Lease, ReadOutcome } from '#contracts';
import { readApplied } from './counters';
import { leaseKey } from './keys';
import { readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/** A lease that was taken and neither given up nor removed; past `expiresAtMs` nobody holds it any more. */
export interface LeaseRow {
  readonly owner: string;
  readonly token: number;
  readonly expiresAtMs: number;
}

export function encodeLease({ owner, token, expiresAtMs }: LeaseRow): Uint8Array {
  const ownerBytes = utf8Length(owner);
  const writer = new ByteWriter(14 + sizedLength(ownerBytes));
  writer.u48(expiresAtMs);
  writer.u64(token);
  writer.string(owner, ownerBytes);
  return writer.finish();
}

export function decodeLease(row: Uint8Array): LeaseRow {
  const bytes = new ByteReader(row);
  const lease = { expiresAtMs: bytes.u48(), token: bytes.u64(), owner: bytes.string() };
  bytes.expectEnd('a lease row');
  return lease;
}

/** The lease as whoever holds it at `nowMs`; `undefined` when nobody does. */
export function heldLease(
  reader: StateReader,
  ns: number,
  key: Uint8Array,
  nowMs: number,
): LeaseRow | undefined {
  const row = reader.get(leaseKey(ns, key));
  if (!row) return undefined;
  const lease = decodeLease(row);
  return lease.expiresAtMs > nowMs ? lease : undefined;
}

/**
 * Answers who holds a lease. By the time of the log alone: the reader's clock may run ahead of the leader's, and a
 * lease has not ended before the log says so.
 */
export function readLease(reader: StateReader, ns: string, key: string): ReadOutcome {
  const namespace = readNamespace(reader, ns);
  if (!namespace) return { kind: 'absent' };
  const held = heldLease(reader, namespace.number, encodeUtf8(key), readApplied(reader).lastTsMs);
  return held ? { kind: 'lease', lease: leaseOf(encodeUtf8(key), held) } : { kind: 'absent' };
}

export function leaseOf(key: Uint8Array, { owner, token, expiresAtMs }: LeaseRow): Lease {
  return { key: decodeUtf8(key), owner, token, expiresAtMs };
}
