import { connectionLoad } from '../connection-load';
import type { LoadResult } from '../load-generator';
import { median } from '../percentiles';
import { storeObjects } from '../store-objects';
import { TargetProcess } from '../target-process';
import { row } from '../throughput';
import {
  CONNECTIONS,
  KEYS,
  type LoadRequest,
  NAMESPACE,
  forEachKey,
  objectPath,
  putObject,
  requestBody,
} from '../workload';
import type { QueriesOptions } from './queries-bench';

const BATCH = 100;

const patchObject = (key: number): LoadRequest => ({
  method: 'PATCH',
  path: objectPath(key),
  body: JSON.stringify({ body: { step: key + 1 } }),
  contentType: 'application/merge-patch+json',
});

const batchOfPuts = (key: number): LoadRequest => ({
  method: 'POST',
  path: `/v1/${encodeURIComponent(NAMESPACE)}/batch`,
  body: JSON.stringify({
    ops: Array.from({ length: BATCH }, (_, at) => {
      const object = (key * BATCH + at) % KEYS;
      return { op: 'put', id: `object-${object}`, ...(JSON.parse(requestBody(object)) as object) };
    }),
  }),
});

/** With the server's processor time a request, which depends least on what else the machine does. */
interface Loaded extends LoadResult {
  readonly cpuMicros: number;
}

/** Patches and batches beside puts, in turns: only ratios within a round mean anything. */
export async function measureWrites(
  dataDir: string,
  { rounds, seconds, print }: QueriesOptions,
): Promise<void> {
  const server = await TargetProcess.server(dataDir);
  try {
    const { port } = server;
    await storeObjects(port, KEYS);
    const [puts, patches] = [forEachKey(putObject), forEachKey(patchObject)];
    const batches = Array.from({ length: KEYS / BATCH }, (_, key) => batchOfPuts(key));
    for (const connections of [1, CONNECTIONS]) {
      const load = async (requests: readonly LoadRequest[], forSeconds = seconds): Promise<Loaded> => {
        const cpuMs = server.cpuMs();
        const result = await connectionLoad({ port, requests, connections, seconds: forSeconds });
        return { ...result, cpuMicros: ((server.cpuMs() - cpuMs) * 1_000) / result.latency.count };
      };
      for (const requests of [puts, patches, batches]) await load(requests, 2);
      const all: { put: Loaded; patch: Loaded; batch: Loaded }[] = [];
      for (let round = 0; round < rounds; round++) {
        const patchFirst = round % 2 === 1 ? await load(patches) : undefined;
        const put = await load(puts);
        all.push({ put, patch: patchFirst ?? (await load(patches)), batch: await load(batches) });
      }
      print(
        row(
          `PUT, ${connections} connections`.padEnd(28),
          all.map(({ put }) => put),
        ),
      );
      print(
        row(
          `PATCH, ${connections} connections`.padEnd(28),
          all.map(({ patch }) => patch),
        ),
      );
      print(
        row(
          `batch of ${BATCH}, ${connections} connections`.padEnd(28),
          all.map(({ batch }) => batch),
        ),
      );
      const ratio = (of: (one: (typeof all)[number]) => number): string => median(all.map(of)).toFixed(2);
      const cpu = (of: (one: (typeof all)[number]) => number): string => median(all.map(of)).toFixed(0);
      print(
        `µs of CPU: PUT ${cpu(({ put }) => put.cpuMicros)}, PATCH ${cpu(({ patch }) => patch.cpuMicros)}, ` +
          `an object of a batch ${cpu(({ batch }) => batch.cpuMicros / BATCH)}`,
      );
      print(
        `PATCH/PUT ${ratio(({ put, patch }) => patch.perSecond / put.perSecond)} (goal 0.80), ` +
          `batch/PUT per object ${ratio(({ put, batch }) => (batch.perSecond * BATCH) / put.perSecond)} (goal 10)`,
      );
    }
  } finally {
    await server.end('SIGKILL');
  }
}
