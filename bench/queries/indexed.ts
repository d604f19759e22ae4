import { connectionLoad } from '../connection-load';
import type { LoadResult } from '../load-generator';
import { storeObjects } from '../store-objects';
import { TargetProcess } from '../target-process';
import { row } from '../throughput';
import { CONNECTIONS, type LoadRequest, NAMESPACE, forEachKey, getObject, putObject } from '../workload';
import type { QueriesOptions } from './queries-bench';

const BATCH = 125;
/** Objects of one owner: what the query that counts gives back. */
const PER_OWNER = 20;
const INDEXES = ['$.owner.id', '$.n'];
const QUERY_PATH = `/v1/${encodeURIComponent(NAMESPACE)}/query`;
const ADMIN_PATH = `/admin/namespaces/${encodeURIComponent(NAMESPACE)}`;
const POLL_MS = 50;
/** Of two seconds each: a build beside puts at full speed takes its time. */
const MOST_PUT_RUNS = 4;

const asked = (path: string, json: object, method: 'POST' | 'PUT' = 'POST'): LoadRequest => ({
  method,
  path,
  body: JSON.stringify(json),
});

/** 300 bytes of task: an owner of whom there are many, a state of which there are few, a number of its own. */
function task(number: number, objects: number): object {
  const owners = Math.max(1, Math.floor(objects / PER_OWNER));
  const body = {
    status: number % 3 === 0 ? 'open' : 'done',
    n: number,
    owner: { id: `owner-${number % owners}` },
    text: 'x'.repeat(160),
  };
  return { op: 'put', id: `task-${number}`, type: 'task', tags: { owner: body.owner.id, all: 'yes' }, body };
}

/** Queries that indexes answer among many objects, beside a GET; and what building the indexes costs writes. */
export async function measureIndexed(
  dataDir: string,
  { objects, rounds, seconds, print }: QueriesOptions,
): Promise<void> {
  const server = await TargetProcess.server(dataDir);
  try {
    const { port } = server;
    const startMs = performance.now();
    const batches = Math.ceil(objects / BATCH);
    await storeObjects(port, batches, (batch) =>
      asked(`/v1/${encodeURIComponent(NAMESPACE)}/batch`, {
        ops: Array.from({ length: BATCH }, (_, at) => task(batch * BATCH + at, objects)),
      }),
    );
    print(
      `${objects} objects stored in ${((performance.now() - startMs) / 1000).toFixed(1)} s, in batches of ${BATCH}`,
    );
    await buildBesideWrites(port, objects, print);
    const owners = Math.max(1, Math.floor(objects / PER_OWNER));
    const kinds: readonly (readonly [string, (key: number) => LoadRequest])[] = [
      ['GET of one object', (key) => getObject(key)],
      [
        'query by field, 20 rows',
        (key) => query({ where: { '$.owner.id': `owner-${(key * 7919) % owners}` } }),
      ],
      [
        'field of tag and type',
        (key) =>
          query({
            where: { '$.owner.id': `owner-${(key * 7919) % owners}` },
            tags: { all: 'yes' },
            type: 'task',
          }),
      ],
      ['query by tag, 20 rows', (key) => query({ tags: { owner: `owner-${(key * 7919) % owners}` } })],
      [
        'query by range, 20 rows',
        (key) => {
          const from = (key * 7919) % Math.max(1, objects - PER_OWNER);
          return query({ where: { '$.n': { gte: from, lt: from + PER_OWNER } } });
        },
      ],
    ];
    await storeObjects(port, 10_000);
    for (const [name, request] of kinds) {
      for (const connections of [1, CONNECTIONS]) {
        const requests = forEachKey(request);
        await connectionLoad({ port, requests, connections, seconds: 1 });
        const results: LoadResult[] = [];
        for (let round = 0; round < rounds; round++)
          results.push(await connectionLoad({ port, requests, connections, seconds }));
        print(row(`${name}, ${connections} conn.`.padEnd(36), results));
      }
    }
    print(`memory ${server.residentMib().toFixed(0)} MiB`);
  } finally {
    await server.end('SIGKILL');
  }
}

const query = (json: object): LoadRequest => asked(QUERY_PATH, json);

/** How fast indexes are built with nothing beside it, and what a build takes from puts at full speed. */
async function buildBesideWrites(
  port: number,
  objects: number,
  print: (line: string) => void,
): Promise<void> {
  const requests = forEachKey(putObject);
  const puts = (seconds: number): Promise<LoadResult> =>
    connectionLoad({ port, requests, connections: CONNECTIONS, seconds });
  await puts(2);
  const before = await puts(4);
  const startMs = performance.now();
  await setIndexes(port, INDEXES);
  while (await isBuilding(port));
  const seconds = (performance.now() - startMs) / 1000;
  print(
    `two indexes of ${objects} objects built in ${seconds.toFixed(1)} s, ${(objects / seconds).toFixed(0)} objects a second`,
  );
  const after = await puts(4);
  await setIndexes(port, []);
  await setIndexes(port, [...INDEXES, '$.status']);
  const during: LoadResult[] = [];
  while (during.length < MOST_PUT_RUNS && (await isBuilding(port))) during.push(await puts(2));
  while (await isBuilding(port));
  const complete = await puts(4);
  print(row('PUT without indexes', [before]));
  print(row('PUT with two', [after]));
  if (during.length > 0) print(row('PUT while three build', during));
  print(row('PUT with three', [complete]));
}

async function setIndexes(port: number, indexes: readonly string[]): Promise<void> {
  const set = await fetch(`http://127.0.0.1:${port}${ADMIN_PATH}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ indexes }),
  });
  if (set.status !== 200) throw new Error(`setting indexes answered ${set.status}: ${await set.text()}`);
}

async function isBuilding(port: number): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  const response = await fetch(`http://127.0.0.1:${port}${ADMIN_PATH}`);
  const { indexes_building: building } = (await response.json()) as { indexes_building: string[] | null };
  return building === null || building.length > 0;
}
