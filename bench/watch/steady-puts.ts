import { Latencies } from '../percentiles';
import { RawConnection, requestBytes } from '../raw-connection';
import { objectPath } from '../workload';

const TICK_MS = 10;
const WRITERS = 16;

export interface SteadyPuts {
  readonly port: number;
  readonly seconds: number;
  readonly putsPerSecond: number;
  /** How many objects they go to, in turns. */
  readonly keys: number;
  /** Ids begin with `object-<kind>-`, the kinds in turns; with 1 they do not. */
  readonly kinds: number;
}

/** Sends at a fixed rate, whatever the answers do (open loop); resolves to the times of the answers. */
export async function steadyPuts(options: SteadyPuts): Promise<Latencies> {
  const { port, seconds, putsPerSecond, keys, kinds } = options;
  const answered = new Latencies();
  let failure: Error | undefined;
  const idle = await Promise.all(
    Array.from({ length: WRITERS }, () => RawConnection.open(port, (error) => (failure ??= error))),
  );
  const connections = [...idle];
  const waiting: number[] = [];
  let key = 0;
  const send = (sentMs: number, connection: RawConnection): void => {
    const body = JSON.stringify({ body: { sent_ms: sentMs, text: 'x'.repeat(240) } });
    const kind = kinds === 1 ? '' : `${key % kinds}-`;
    connection.send(
      requestBytes({ method: 'PUT', path: objectPath(`${kind}${key++ % keys}`), body }),
      (status) => {
        if (status !== 200) failure ??= new Error(`a put answered ${status}`);
        answered.add(performance.now() - sentMs);
        const next = waiting.shift();
        if (next === undefined) idle.push(connection);
        else send(next, connection);
      },
    );
  };
  const startMs = performance.now();
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const due = Math.min(seconds * 1000, nowMs - startMs) * (putsPerSecond / 1000);
      for (; sent < Math.floor(due); sent++) {
        const connection = idle.pop();
        if (connection === undefined) waiting.push(nowMs);
        else send(nowMs, connection);
      }
      const isOver = nowMs - startMs >= seconds * 1000 && idle.length === WRITERS;
      if (failure === undefined && !isOver) return;
      clearInterval(timer);
      if (failure === undefined) resolve();
      else reject(failure);
    }, TICK_MS);
  });
  for (const connection of connections) connection.close();
  return answered;
}
