import { ByteReader, type CommandView } from '#codec';
import type { Applied, RowPlace } from '#contracts';
import type { BatchState } from './batch-state';
import { NAMESPACE_TABLES, Table } from './format';
import { expiryKeyOf } from './expiring-rows';
import { commitKey, namespacePrefix, prefixRange } from './keys';
import { readNamespace } from './namespaces';
import { PREFIX_BYTES, keyOfRow } from './portable-rows';
import type { KeyRange, StateReader } from './state-reader';
import { readTenancy } from './tenancies';

type EraseView = Extract<CommandView, { kind: 'erase' }>;

/**
 * Removes rows of a namespace that is served elsewhere, at most about `limit`; the last to go are its number and name.
 * Rejected while the namespace is served here. Says by one deletion among its results that more is left.
 *
 * What is found from `from` on goes first. Once there is nothing, all of the namespace is looked at again, so that it
 * can't be forgotten while a row is left anywhere.
 */
export function applyErase(state: BatchState, { ns, limit, from }: EraseView): Applied {
  const { counters } = state;
  const tenancy = readTenancy(state.rows, ns);
  if (tenancy?.state !== 'away' && tenancy?.state !== 'loading') {
    const detail = 'only a namespace that is served elsewhere can be erased';
    return { outcome: { kind: 'rejected', code: 'conflict', detail }, changes: [] };
  }
  const namespace = state.namespace(ns);
  const isDone = namespace === undefined || eraseAll(state, namespace.number, { limit, from });
  if (isDone && namespace !== undefined) state.dropNamespace(namespace);
  const results = isDone ? [] : [{ kind: 'deleted' as const }];
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results }, changes: [] };
}

/** The first row of a namespace from `from` on, in the order in which rows are erased; `undefined`: there is none. */
export function firstRowFrom(
  reader: StateReader,
  ns: string,
  from: RowPlace | undefined,
): RowPlace | undefined {
  const namespace = readNamespace(reader, ns);
  if (namespace === undefined) return undefined;
  for (const { table, range } of tablesFrom(namespace.number, from)) {
    for (const [key] of reader.scan({ ...range, limit: 1 })) {
      return { table, rest: key.slice(PREFIX_BYTES) };
    }
  }
  return undefined;
}

/** Whether nothing is left. */
function eraseAll(
  state: BatchState,
  number: number,
  { limit, from }: { readonly limit: number; readonly from?: RowPlace | undefined },
): boolean {
  const left = eraseFrom(state, number, { limit: Math.max(1, limit), from });
  if (left === 0 || from === undefined) return left > 0;
  return eraseFrom(state, number, { limit: left, from: undefined }) > 0;
}

/**
 * How many rows more could have been erased. What is derived from a row goes with it, so that a cut leaves no stray
 * rows.
 */
function eraseFrom(
  { rows }: BatchState,
  number: number,
  { limit, from }: { readonly limit: number; readonly from: RowPlace | undefined },
): number {
  let left = limit;
  for (const { table, range } of tablesFrom(number, from)) {
    const found = [...rows.scan({ ...range, limit: left })];
    for (const [key, value] of found) {
      const rest = key.subarray(PREFIX_BYTES);
      const expiry = expiryKeyOf(table, number, { rest, value });
      if (expiry !== undefined) rows.delete(expiry);
      if (table === Table.changes) rows.delete(commitKey(new ByteReader(rest).u64(), number));
      rows.delete(key);
    }
    left -= found.length;
    if (left <= 0) return 0;
  }
  return left;
}

/** What of each table comes at or after a place; of all tables where the place is in none of them. */
function* tablesFrom(
  number: number,
  from: RowPlace | undefined,
): Generator<{ readonly table: number; readonly range: KeyRange }> {
  const tables: readonly number[] = NAMESPACE_TABLES;
  const first = from === undefined ? 0 : Math.max(0, tables.indexOf(from.table));
  for (const table of tables.slice(first)) {
    const range = prefixRange(namespacePrefix(table, number));
    const gte = table === from?.table ? keyOfRow(from, number) : range.gte;
    yield { table, range: { gte, lt: range.lt } };
  }
}
