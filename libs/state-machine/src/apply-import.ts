import { ByteReader, type CommandView } from '#codec';
import type { Applied, CommitSeq } from '#contracts';
import type { BatchState, OpenNamespace } from './batch-state';
import { decodeCommit } from './commit-row';
import { Table } from './format';
import { decodeNamespace } from './namespaces';
import { type PortableRow, decodeRows, keyOfRow } from './portable-rows';
import { readTenancy } from './tenancies';

type ImportView = Extract<CommandView, { kind: 'import' }>;

/**
 * Takes rows of a namespace that is being moved in, and removes those that are said not to be there. Rejected unless the namespace is loading at this very generation.
 */
export function applyImport(state: BatchState, { ns, generation, rows }: ImportView): Applied {
  const { counters } = state;
  const tenancy = readTenancy(state.rows, ns);
  if (tenancy?.state !== 'loading' || tenancy.generation !== generation) {
    const detail = `the namespace is not loading at generation ${generation}`;
    return { outcome: { kind: 'rejected', code: 'conflict', detail }, changes: [] };
  }
  const namespace = state.namespace(ns) ?? state.createNamespace(ns);
  for (const row of decodeRows(rows)) importRow(state, namespace, row);
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
}

function importRow(state: BatchState, namespace: OpenNamespace, row: PortableRow): void {
  const { counters, rows } = state;
  const { value } = row;
  if (value === undefined) {
    rows.delete(keyOfRow(row, namespace.number));
    return;
  }
  if (row.table === Table.namespaces) {
    Object.assign(namespace, decodeNamespace(value), { number: namespace.number });
    return;
  }
  rows.put(keyOfRow(row, namespace.number), value);
  // What the group's own rows go by must not pass over what came in.
  if (row.table === Table.commits) {
    const seq = new ByteReader(row.rest).u64() as CommitSeq;
    if (seq < counters.historyFrom) counters.historyFrom = seq;
    counters.lastTsMs = Math.max(counters.lastTsMs, decodeCommit(value).tsMs);
  } else if (row.table === Table.expiryIndex) {
    counters.expiryFromMs = Math.min(counters.expiryFromMs, new ByteReader(row.rest).u48());
  }
}
