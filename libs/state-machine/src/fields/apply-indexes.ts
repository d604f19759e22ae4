import { type CommandView, decodeUtf8 } from '#codec';
import { type Applied, LIMITS } from '#contracts';
import type { BatchState, OpenNamespace } from '../batch-state';
import { ChangeRow } from '../change-row';
import { Table } from '../format';
import { HeadRow } from '../head-row';
import { changeKey, fieldPrefix, keyAfter, namespacePrefix, prefixRange } from '../keys';
import { parseSingularPath, type SingularPath } from '../query/singular-path';
import { rejected, unchanged } from '../rejection';
import { readTenancy } from '../tenancies';
import { type FieldIndex, isSamePath, newFieldIndex } from './field-indexes';
import { changeFieldRows } from './field-rows';

type IndexesView = Extract<CommandView, { kind: 'indexes' }>;
type BuildView = Extract<CommandView, { kind: 'build' }>;

/** Says which places a namespace has indexes of; what that takes is done by build commands, step by step. */
export function applyIndexes(state: BatchState, { ns, paths }: IndexesView): Applied {
  if (!isServed(state, ns)) return notServed();
  if (paths.length > LIMITS.fieldIndexes)
    return rejected('invalid_request', `a namespace has at most ${LIMITS.fieldIndexes} indexes`);
  const wanted: { readonly text: string; readonly path: SingularPath }[] = [];
  for (const text of paths) {
    const parsed = parseSingularPath(text);
    if (parsed.kind === 'malformed') return rejected('invalid_request', `${text} is no singular JSONPath`);
    if (!wanted.some(({ path }) => isSamePath(path, parsed.path))) wanted.push({ text, path: parsed.path });
  }
  const known = state.namespace(ns);
  if (known === undefined && wanted.length === 0) return done(state);
  const namespace = known ?? state.createNamespace(ns);
  const indexes = state.fieldIndexes(namespace).map((index): FieldIndex => {
    const isWanted = wanted.some(({ path }) => isSamePath(path, index.path));
    return isWanted ? index : { ...index, state: 'dropping' };
  });
  for (const one of wanted) {
    const has = indexes.some(({ path, state: is }) => is !== 'dropping' && isSamePath(path, one.path));
    if (!has) indexes.push(newFieldIndex(indexes, one, namespace.objects === 0));
  }
  state.setFieldIndexes(namespace, indexes);
  return done(state);
}

/** One step of what {@link applyIndexes} has asked for: rows of old indexes go first, then new ones are built. */
export function applyBuild(state: BatchState, view: BuildView): Applied {
  if (!isServed(state, view.ns)) return notServed();
  const namespace = state.namespace(view.ns);
  if (namespace === undefined) return done(state);
  const left = dropRows(state, namespace, Math.max(1, view.limit));
  if (left > 0) buildRows(state, namespace, { limit: left, limitBytes: view.limitBytes });
  return done(state);
}

/** Removes rows of indexes that go; an index goes with its last row. Gives how many more rows the step may take. */
function dropRows(state: BatchState, namespace: OpenNamespace, limit: number): number {
  const { rows } = state;
  let left = limit;
  const indexes = state.fieldIndexes(namespace);
  const gone = new Set<FieldIndex>();
  for (const index of indexes) {
    if (index.state !== 'dropping' || left === 0) continue;
    const range = prefixRange(fieldPrefix(namespace.number, index.number));
    const found = [...rows.scan({ ...range, limit: left })];
    for (const [key] of found) rows.delete(key);
    if (found.length < left) gone.add(index);
    left -= found.length;
  }
  if (gone.size > 0)
    state.setFieldIndexes(
      namespace,
      indexes.filter((index) => !gone.has(index)),
    );
  return left;
}

/** Goes through the next objects for all indexes that have come equally far as the first that is not complete. */
function buildRows(
  state: BatchState,
  namespace: OpenNamespace,
  { limit, limitBytes }: { readonly limit: number; readonly limitBytes: number },
): void {
  const { rows } = state;
  const { number: ns } = namespace;
  const indexes = state.fieldIndexes(namespace);
  const first = indexes.find((index) => index.state === 'building');
  if (first === undefined) return;
  const from = decodeUtf8(first.through);
  const building = indexes.filter(
    (index) => index.state === 'building' && decodeUtf8(index.through) === from,
  );
  const prefix = namespacePrefix(Table.heads, ns);
  const { gte, lt } = prefixRange(prefix);
  let through: Uint8Array | undefined;
  let bytes = 0;
  let count = 0;
  for (const [key, value] of rows.scan({
    gte: first.through.length === 0 ? gte : keyAfter(prefix, first.through),
    lt,
    limit: limit + 1,
  })) {
    if (count === limit || (count > 0 && bytes >= limitBytes)) {
      if (state.hasBug('readyAfterOneStep')) break;
      const reached = through as Uint8Array;
      state.setFieldIndexes(
        namespace,
        indexes.map((index) => (building.includes(index) ? { ...index, through: reached } : index)),
      );
      return;
    }
    const id = key.slice(prefix.length);
    const head = new HeadRow(value);
    const version = rows.get(changeKey(ns, head.commitSeq, head.operation));
    if (!version) throw new Error(`the version at ${head.commitSeq} that a head names is missing`);
    changeFieldRows({ rows, ns, id }, building, undefined, new ChangeRow(version));
    through = id;
    bytes += head.jsonBytes;
    count += 1;
  }
  state.setFieldIndexes(
    namespace,
    indexes.map((index) =>
      building.includes(index) ? { ...index, state: 'ready', through: new Uint8Array(0) } : index,
    ),
  );
}

/** While a namespace moves its rows must not change under the copy, and what has moved away is not this group's. */
function isServed(state: BatchState, ns: string): boolean {
  const tenancy = readTenancy(state.rows, ns);
  return tenancy === undefined || tenancy.state === 'here';
}

function notServed(): Applied {
  return rejected('conflict', 'the namespace is being moved or is served elsewhere');
}

function done({ counters }: BatchState): Applied {
  return unchanged({ kind: 'done', commitSeq: counters.commitSeq, results: [] });
}
