import type { LoadResult, LoadRun } from './load-generator';
import { Latencies } from './percentiles';
import { RawConnection, requestBytes } from './raw-connection';

/** Keeps every connection busy for the whole time; each goes through the requests from a place of its own. */
export async function connectionLoad({
  port,
  requests: run,
  connections,
  seconds,
}: LoadRun): Promise<LoadResult> {
  const endMs = performance.now() + seconds * 1000;
  return loadWhile({ port, requests: run, connections }, (nowMs) => nowMs < endMs);
}

/** The same for as long as `goesOn` says so, of `performance.now()`. */
export async function loadWhile(
  { port, requests: run, connections }: Omit<LoadRun, 'seconds'>,
  goesOn: (nowMs: number) => boolean,
): Promise<LoadResult> {
  const requests = run.map(requestBytes);
  const latencies = new Latencies();
  const startMs = performance.now();
  const lanes = Array.from({ length: connections }, (_, lane) => {
    const first = Math.floor((lane * requests.length) / connections);
    return runLane({ port, requests, first, goesOn, latencies });
  });
  await Promise.all(lanes);
  const latency = latencies.summary();
  return { perSecond: (latency.count * 1000) / (performance.now() - startMs), latency };
}

interface Lane {
  readonly port: number;
  readonly requests: readonly Buffer[];
  readonly first: number;
  readonly goesOn: (nowMs: number) => boolean;
  readonly latencies: Latencies;
}

async function runLane({ port, requests, first, goesOn, latencies }: Lane): Promise<void> {
  let fail: (error: Error) => void = () => undefined;
  const connection = await RawConnection.open(port, (error) => fail(error));
  try {
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      let key = first;
      const next = (): void => {
        const sentMs = performance.now();
        const request = requests[key++ % requests.length];
        if (request === undefined) throw new Error('there is a request for every key');
        connection.send(request, (status) => {
          const nowMs = performance.now();
          latencies.add(nowMs - sentMs);
          if (status !== 200) reject(new Error(`answered ${status}`));
          else if (goesOn(nowMs)) next();
          else resolve();
        });
      };
      next();
    });
  } finally {
    connection.close();
  }
}
