import type { QueryRequest, WhereCondition } from '#contracts';
import type { StateStore } from '#replication';
import { allFieldIndexes, evaluateRead, readTenancies, type FieldIndex } from '#state-machine';
import { compareFieldRows, type IndexedObject } from '../field-row-check';
import { meetsModel } from '../where-model';
import { SimulationFailure } from './failure';

/** What was met when the indexes of states were looked at. */
export interface IndexSights {
  /** Queries that an index answered, and that were compared. */
  queries: number;
  /** Indexes in the middle of being built. */
  halfBuilt: number;
}

const PAGE = 2;
const MOST_OBJECTS = 1_000;
const decoder = new TextDecoder();

/**
 * Compares the rows of all indexes of a replica's state with what follows from its live objects, and what queries
 * find through complete ones with what going through all objects finds. It holds at every position.
 */
export function checkIndexes(who: string, store: StateStore, sights: IndexSights): void {
  const tenancies = readTenancies(store);
  // While a namespace comes or goes, objects and rows of indexes are there in parts.
  const isWhole = (ns: string): boolean => (tenancies.get(ns)?.state ?? 'here') === 'here';
  const indexed = [...allFieldIndexes(store)].filter(([ns]) => isWhole(ns));
  const objects = new Map(indexed.map(([ns]) => [ns, liveObjects(store, ns)]));
  const areAllWhole = [...tenancies.keys()].every(isWhole);
  const fault = compareFieldRows(store, objects, { others: areAllWhole ? 'none' : 'any' });
  if (fault !== undefined) throw new SimulationFailure(`indexes of ${who}: ${fault}`);
  for (const [ns, indexes] of indexed) {
    for (const index of indexes) {
      if (index.state === 'building' && index.through.length > 0) sights.halfBuilt++;
      if (index.state !== 'ready') continue;
      for (const condition of conditionsOn(index, objects.get(ns) ?? []))
        checkQuery(`a query of ${who}`, store, { ns, condition, sights }, objects.get(ns) ?? []);
    }
  }
}

/** As a list has them. */
function liveObjects(store: StateStore, ns: string): readonly IndexedObject[] {
  const outcome = evaluateRead(store, { kind: 'list', ns, limit: MOST_OBJECTS }, 0);
  if (outcome.kind !== 'page') throw new SimulationFailure(`the list of ${ns} answered ${outcome.kind}`);
  return outcome.objects.map((json) => JSON.parse(decoder.decode(json)) as IndexedObject);
}

/** One value that is there, everything from it on, and one that is not there. */
function conditionsOn({ text, path }: FieldIndex, objects: readonly IndexedObject[]): WhereCondition[] {
  const values = objects.map(({ body }) =>
    path.reduce<unknown>((value, step) => (value as Record<string, unknown> | null)?.[step], body),
  );
  const value = values.find((one) => typeof one === 'number' || typeof one === 'string') ?? 0;
  return [
    { text, path, operator: 'eq', value },
    { text, path, operator: 'gte', value },
    { text, path, operator: 'eq', value: 'nowhere' },
  ];
}

function checkQuery(
  what: string,
  store: StateStore,
  asked: { readonly ns: string; readonly condition: WhereCondition; readonly sights: IndexSights },
  objects: readonly IndexedObject[],
): void {
  const { ns, condition, sights } = asked;
  const query: QueryRequest = { kind: 'query', ns, where: [condition], order: 'id', limit: PAGE };
  const plan = evaluateRead(store, { kind: 'explain', ns, query }, 0);
  if (plan.kind === 'plan' && plan.plan.index.startsWith('field ')) sights.queries++;
  const found: string[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = evaluateRead(store, { ...query, ...(cursor !== undefined && { cursor }) }, 0);
    if (page.kind !== 'page') throw new SimulationFailure(`${what} of ${ns} answered ${page.kind}`);
    found.push(...page.objects.map((json) => (JSON.parse(decoder.decode(json)) as IndexedObject).id));
    cursor = page.nextCursor;
  }
  const right = objects.filter(({ body }) => meetsModel(body, condition)).map(({ id }) => id);
  if (found.join() === right.join()) return;
  const { text, operator, value } = condition;
  throw new SimulationFailure(
    `${what} of ${ns} for ${text} ${operator} ${JSON.stringify(value)} found ${found.join()}, not ${right.join()}`,
  );
}
