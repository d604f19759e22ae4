import { ByteReader, type CommandView } from '#codec';
import type { Applied } from '#contracts';
import type { BatchState } from './batch-state';
import { NAMESPACE_TABLES, Table } from './format';
import { expiryKeyOf } from './expiring-rows';
import { commitKey, namespacePrefix, prefixRange } from './keys';
import { readTenancy } from './tenancies';

type EraseView = Extract<CommandView, { kind: 'erase' }>;

/** How many bytes of a key come before what is the row's own: its table and the namespace's number. */
const PREFIX_BYTES = 5;

/**
 * Removes rows of a namespace that is served elsewhere, at most about `limit`; the last to go are its number and name.
 * Rejected while the namespace is served here. Says by one deletion among its results that more is left.
 */
export function applyErase(state: BatchState, { ns, limit }: EraseView): Applied {
  const { counters } = state;
  const tenancy = readTenancy(state.rows, ns);
  if (tenancy?.state !== 'away' && tenancy?.state !== 'loading') {
    const detail = 'only a namespace that is served elsewhere can be erased';
    return { outcome: { kind: 'rejected', code: 'conflict', detail }, changes: [] };
  }
  const namespace = state.namespace(ns);
  const isDone = namespace === undefined || eraseRows(state, namespace.number, limit);
  if (isDone && namespace !== undefined) state.dropNamespace(namespace);
  const results = isDone ? [] : [{ kind: 'deleted' as const }];
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results }, changes: [] };
}

/** Whether nothing is left. What is derived from a row goes with it, so that a cut leaves no stray rows. */
function eraseRows({ rows }: BatchState, number: number, limit: number): boolean {
  let left = Math.max(1, limit);
  for (const table of NAMESPACE_TABLES) {
    const found = [...rows.scan({ ...prefixRange(namespacePrefix(table, number)), limit: left })];
    for (const [key, value] of found) {
      const rest = key.subarray(PREFIX_BYTES);
      const expiry = expiryKeyOf(table, number, { rest, value });
      if (expiry !== undefined) rows.delete(expiry);
      if (table === Table.changes) rows.delete(commitKey(new ByteReader(rest).u64(), number));
      rows.delete(key);
    }
    left -= found.length;
    if (left <= 0) return false;
  }
  return true;
}
