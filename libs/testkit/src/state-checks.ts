import type {
  Applied,
  ChangeBatch,
  CommandOutcome,
  CommitSeq,
  QueryRequest,
  ReadOutcome,
  ReadRequest,
} from '#contracts';
import type { StateStore } from '#replication';
import { evaluateRead, firstAvailable, openScan, readChanges, readNamespace } from '#state-machine';
import { leaseText } from './guard-model';
import { LEASE_KEYS, STATE_IDS, STATE_NAMESPACES, STATE_TYPES } from './state-commands';
import type { ModelCommit, ModelObject, StateModel } from './state-model';

/** What differs, as text, or `undefined`: the checks run in tests and in the simulator. */
export function compareApplied(
  applied: Applied,
  model: { readonly outcome: string; readonly commits: readonly ModelCommit[] },
): string | undefined {
  const { outcome } = applied;
  const found = outcomeText(outcome);
  if (found !== model.outcome) return `outcome ${found} where ${model.outcome} is right`;
  return difference('changes', applied.changes.map(plainBatch), model.commits.map(plainCommit));
}

function outcomeText(outcome: CommandOutcome): string {
  const again = outcome.replayed ? ' again' : '';
  if (outcome.kind === 'rejected') return `${outcome.code}${again}`;
  const results = outcome.results.map((result) => {
    switch (result.kind) {
      case 'object':
        return `object@${(JSON.parse(Buffer.from(result.json).toString()) as ModelObject).commit_seq}`;
      case 'deleted':
        return 'deleted';
      case 'checked':
        return `checked@${result.commitSeq}`;
      case 'lease':
        return leaseText(result.lease);
    }
  });
  return ['done', ...results].join(' ') + again;
}

/** Compares everything that can be asked of the state with the model's answers. */
export function compareState(store: StateStore, model: StateModel, nowMs: number): string | undefined {
  for (const ns of STATE_NAMESPACES) {
    const found =
      compareObjects(store, model, ns, nowMs) ??
      compareQueries(store, model, ns, nowMs) ??
      compareHistory(store, model, ns) ??
      compareTotals(store, model, ns) ??
      compareLeases(store, model, ns);
    if (found) return `${ns}: ${found}`;
  }
  return undefined;
}

function compareObjects(store: StateStore, model: StateModel, ns: string, nowMs: number): string | undefined {
  const live = model.list(ns, nowMs);
  const scan = openScan(store, ns, {}, nowMs);
  const scanned: unknown[] = [];
  for (let rows = scan.next(1); rows.length > 0; rows = scan.next(1)) {
    scanned.push(...rows.map(({ json }) => plainJson(json)));
  }
  scan.close();
  const listed = walk(store, { kind: 'list', ns, limit: 2 }, nowMs);
  const got = STATE_IDS.flatMap((id) => {
    const outcome = evaluateRead(store, { kind: 'get', ns, id }, nowMs);
    return outcome.kind === 'object' ? [plainJson(outcome.json)] : [];
  });
  const byId = (id: string): ModelObject[] => live.filter((object) => object.id === id);
  return (
    difference('scan', scanned, live.map(plainObject)) ??
    difference('list', listed, live.map(plainObject)) ??
    difference('gets', got, STATE_IDS.flatMap(byId).map(plainObject))
  );
}

function compareQueries(store: StateStore, model: StateModel, ns: string, nowMs: number): string | undefined {
  const protoTag = JSON.parse('{"__proto__":"v"}') as Record<string, string>;
  const filters = [
    {},
    { type: 'task' },
    { prefix: 'a' },
    { tags: protoTag },
    { tags: { 'k\u0000': 'v\u0000', k: 'v' } },
    { type: STATE_TYPES[2], tags: { constructor: '' }, prefix: 'z' },
  ];
  for (const filter of filters) {
    for (const order of ['id', 'commit_seq', '-commit_seq'] as const) {
      const found = compareQuery(store, model, { kind: 'query', ns, ...filter, order, limit: 3 }, nowMs);
      if (found) return found;
    }
  }
  return undefined;
}

/** Compares all pages of a query with the model's answer. */
export function compareQuery(
  store: StateStore,
  model: StateModel,
  request: QueryRequest,
  nowMs: number,
): string | undefined {
  const expected = model.query(request, nowMs).map(plainObject);
  return difference(JSON.stringify(request), walk(store, request, nowMs), expected);
}

function compareHistory(store: StateStore, model: StateModel, ns: string): string | undefined {
  const first = firstAvailable(store, ns);
  if (first !== model.firstAvailable(ns)) return `first available ${first}, not ${model.firstAvailable(ns)}`;
  for (let from = first; from <= model.commitSeq + 1; from++) {
    const batches: ChangeBatch[] = [];
    for (let next: number = from; next <= model.commitSeq;) {
      const page = readChanges(store, ns, next as CommitSeq, 1);
      batches.push(...page.batches);
      next = page.through + 1;
    }
    const expected = model.changes(ns, from).map(plainCommit);
    const found = difference(`changes from ${from}`, batches.map(plainBatch), expected);
    if (found) return found;
  }
  return undefined;
}

function compareTotals(store: StateStore, model: StateModel, ns: string): string | undefined {
  const row = readNamespace(store, ns);
  const stored = model.list(ns, 0).length;
  return (row?.objects ?? 0) === stored
    ? undefined
    : `${row?.objects} objects counted where ${stored} are stored`;
}

function compareLeases(store: StateStore, model: StateModel, ns: string): string | undefined {
  const holders = LEASE_KEYS.map((key) => {
    const outcome = evaluateRead(store, { kind: 'lease', ns, key }, 0);
    return outcome.kind === 'lease' ? `${outcome.lease.owner} ${outcome.lease.token}` : undefined;
  });
  const expected = LEASE_KEYS.map((key) => {
    const held = model.leaseHolder(ns, key);
    return held && `${held.owner} ${held.token}`;
  });
  return difference('leases', holders, expected);
}

/** All pages of a request, one after another. */
function walk(store: StateStore, request: Extract<ReadRequest, { limit: number }>, nowMs: number): unknown[] {
  const found: unknown[] = [];
  let cursor: string | undefined;
  do {
    const outcome: ReadOutcome = evaluateRead(store, { ...request, ...(cursor ? { cursor } : {}) }, nowMs);
    if (outcome.kind !== 'page') throw new Error(`a page was asked for and ${outcome.kind} came`);
    if (outcome.objects.length > request.limit) throw new Error('a page has more rows than were asked for');
    found.push(...outcome.objects.map(plainJson));
    cursor = outcome.nextCursor;
  } while (cursor !== undefined);
  return found;
}

function difference(what: string, found: unknown, expected: unknown): string | undefined {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  return left === right ? undefined : `${what}:\n  found    ${left}\n  expected ${right}`;
}

/** In the contract's order of keys, which the comparison keeps; tags as pairs, since they may be named `__proto__`. */
function plainJson(json: Uint8Array): unknown {
  const object = JSON.parse(Buffer.from(json).toString()) as ModelObject & { commit?: string };
  if (!/^[0-9a-f]{64}$/.test(object.commit ?? '')) throw new Error('an object without its digest');
  delete object.commit;
  return plainObject(object);
}

function plainObject(object: ModelObject): unknown {
  return Object.entries(object).map(([key, value]) => [
    key,
    key === 'tags'
      ? Object.entries(object.tags).sort(([left], [right]) => (left < right ? -1 : 1))
      : (value as unknown),
  ]);
}

function plainBatch(batch: ChangeBatch): unknown {
  const events = batch.events.map(({ kind, reason, id, type, tags, object }) => {
    const plainTags = Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1));
    return [kind, reason, id, type, plainTags, object && plainJson(object)];
  });
  return [batch.ns, batch.commitSeq, batch.prevCommitSeq, batch.tsMs, events];
}

function plainCommit({ ns, seq, prev, tsMs, events }: ModelCommit): unknown {
  const plain = events.map(({ kind, reason, id, object }) => {
    const plainTags = Object.entries(object.tags).sort(([left], [right]) => (left < right ? -1 : 1));
    return [kind, reason, id, object.type, plainTags, kind === 'put' ? plainObject(object) : undefined];
  });
  return [ns, seq, prev, tsMs, plain];
}
