import { RawConnection, requestBytes } from './raw-connection';
import { TargetProcess } from './target-process';
import { CONNECTIONS, objectPath, requestBody } from './workload';

const READY_POLL_MS = 20;

/** Memory with many objects, and how long a node that was killed with them takes until it is ready again. */
export async function measureManyObjects(dataDir: string, count: number): Promise<readonly string[]> {
  let server = await TargetProcess.server(dataDir);
  const idleMib = server.residentMib();
  const startMs = performance.now();
  await store(server.port, count);
  const perSecond = (count * 1000) / (performance.now() - startMs);
  const fullMib = server.residentMib();
  await server.end('SIGKILL');
  const killedMs = performance.now();
  server = await TargetProcess.server(dataDir);
  await untilReady(server.port);
  const readyMs = performance.now() - killedMs;
  const restartedMib = server.residentMib();
  await server.end('SIGTERM');
  return [
    `memory idle                   ${idleMib.toFixed(0)} MiB`,
    `${count} objects stored at ${perSecond.toFixed(0)}/s, memory then ${fullMib.toFixed(0)} MiB`,
    `SIGKILL to ready again        ${(readyMs / 1000).toFixed(2)} s, memory then ${restartedMib.toFixed(0)} MiB`,
  ];
}

async function store(port: number, count: number): Promise<void> {
  let key = 0;
  const lane = async (): Promise<void> => {
    let fail: (error: Error) => void = () => undefined;
    const connection = await RawConnection.open(port, (error) => fail(error));
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      const next = (): void => {
        if (key >= count) return resolve();
        const mine = key++;
        connection.send(requestBytes('PUT', objectPath(mine), requestBody(mine)), (status) => {
          if (status === 200) next();
          else reject(new Error(`a put answered ${status}`));
        });
      };
      next();
    });
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}

async function untilReady(port: number): Promise<void> {
  while ((await fetch(`http://127.0.0.1:${port}/ready`)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}
