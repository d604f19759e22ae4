import { ByteReader, ByteWriter, decodeUtf8 } from '#codec';
import { TENANCY_STATES, type TenancyState } from '#contracts';
import { Table } from './format';
import { prefixRange } from './keys';
import type { StateReader } from './state-reader';

/** What a group knows of a namespace that was placed; of all others it has no row. */
export interface Tenancy {
  readonly generation: number;
  readonly state: TenancyState;
}

export function tenancyKey(ns: string): Uint8Array {
  const writer = new ByteWriter(1 + ns.length);
  writer.u8(Table.tenancies);
  writer.text(ns);
  return writer.finish();
}

export function encodeTenancy({ generation, state }: Tenancy): Uint8Array {
  const writer = new ByteWriter(9);
  writer.u64(generation);
  writer.u8(TENANCY_STATES.indexOf(state));
  return writer.finish();
}

export function readTenancy(reader: StateReader, ns: string): Tenancy | undefined {
  const row = reader.get(tenancyKey(ns));
  return row && decodeTenancy(row);
}

/** All of them: as many as namespaces were ever placed in, or away from, this group. */
export function readTenancies(reader: StateReader): ReadonlyMap<string, Tenancy> {
  const found = new Map<string, Tenancy>();
  for (const [key, value] of reader.scan(prefixRange(Uint8Array.of(Table.tenancies)))) {
    found.set(decodeUtf8(key, 1), decodeTenancy(value));
  }
  return found;
}

function decodeTenancy(row: Uint8Array): Tenancy {
  const reader = new ByteReader(row);
  const generation = reader.u64();
  const state = TENANCY_STATES[reader.u8()];
  reader.expectEnd('a tenancy row');
  if (state === undefined) throw new Error('a tenancy row of an unknown state');
  return { generation, state };
}
