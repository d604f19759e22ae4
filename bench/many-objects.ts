import { storeObjects } from './store-objects';
import { TargetProcess } from './target-process';

/** Memory with many objects, and how long a node that was killed with them takes until it is ready again. */
export async function measureManyObjects(dataDir: string, count: number): Promise<readonly string[]> {
  let server = await TargetProcess.server(dataDir);
  const idleMib = server.residentMib();
  const startMs = performance.now();
  await storeObjects(server.port, count);
  const perSecond = (count * 1000) / (performance.now() - startMs);
  const fullMib = server.residentMib();
  await server.end('SIGKILL');
  const killedMs = performance.now();
  server = await TargetProcess.server(dataDir);
  const readyMs = performance.now() - killedMs;
  const restartedMib = server.residentMib();
  await server.end('SIGTERM');
  return [
    `memory idle                   ${idleMib.toFixed(0)} MiB`,
    `${count} objects stored at ${perSecond.toFixed(0)}/s, memory then ${fullMib.toFixed(0)} MiB`,
    `SIGKILL to ready again        ${(readyMs / 1000).toFixed(2)} s, memory then ${restartedMib.toFixed(0)} MiB`,
  ];
}
