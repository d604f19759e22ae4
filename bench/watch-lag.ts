import http from 'node:http';
import { Latencies } from './percentiles';
import { RawConnection, requestBytes } from './raw-connection';
import type { TargetProcess } from './target-process';
import { NAMESPACE, objectPath } from './workload';

const WATCHERS = 100;
/** Reading the times out of every watcher's events would measure this process; a tenth of them is enough. */
const TIMED_WATCHERS = 10;
const PUTS_PER_SECOND = 500;
const TICK_MS = 10;
const WRITERS = 16;

/** What a put carries: when it was sent, by the clock that also stamps its arrival. */
const SENT = '"sent_ms":';
/** The leader's time of the write, in the event: whole milliseconds, just before the commit. */
const WRITTEN = '"ts":"';

/** How long a committed change takes to arrive at watchers, while writes go on at a steady rate. */
export async function measureWatchLag(server: TargetProcess, seconds: number): Promise<readonly string[]> {
  const sinceSent = new Latencies();
  const sinceWritten = new Latencies();
  const watchers = await Promise.all(
    Array.from({ length: WATCHERS }, (_, index) =>
      openWatcher(server.port, index < TIMED_WATCHERS ? { sinceSent, sinceWritten } : undefined),
    ),
  );
  const answered = await steadyPuts(server.port, seconds);
  // The last events are on their way: an answer to a put may overtake its event.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (const watcher of watchers) watcher.destroy();
  const [sent, written, puts] = [sinceSent.summary(), sinceWritten.summary(), answered.summary()];
  const expected = puts.count * TIMED_WATCHERS;
  return [
    `${WATCHERS} watchers, ${PUTS_PER_SECOND} puts/s for ${seconds} s: ${sent.count} of ${expected} timed events arrived`,
    `put sent to event received    p50 ${sent.p50.toFixed(1)}  p95 ${sent.p95.toFixed(1)}  p99 ${sent.p99.toFixed(1)} ms`,
    `put sent to put answered      p50 ${puts.p50.toFixed(1)}  p95 ${puts.p95.toFixed(1)}  p99 ${puts.p99.toFixed(1)} ms`,
    `event's ts to event received  p50 ${written.p50.toFixed(0)}  p95 ${written.p95.toFixed(0)}  p99 ${written.p99.toFixed(0)} ms`,
  ];
}

interface Timers {
  readonly sinceSent: Latencies;
  readonly sinceWritten: Latencies;
}

function openWatcher(port: number, timers: Timers | undefined): Promise<http.ClientRequest> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: `/v1/${encodeURIComponent(NAMESPACE)}/watch` });
    request.on('error', reject);
    request.on('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`the watch answered ${response.statusCode}`));
      response.on('error', () => undefined);
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        // The first bytes are the bookmark: from here on nothing is missed.
        resolve(request);
        if (timers === undefined) return;
        const blocks = (rest + chunk.toString('utf8')).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) takeTimes(block, timers);
      });
    });
  });
}

function takeTimes(block: string, { sinceSent, sinceWritten }: Timers): void {
  const sentAt = block.indexOf(SENT);
  if (sentAt < 0) return;
  sinceSent.add(
    performance.now() - Number.parseFloat(block.slice(sentAt + SENT.length, sentAt + SENT.length + 24)),
  );
  const writtenAt = block.indexOf(WRITTEN) + WRITTEN.length;
  sinceWritten.add(Date.now() - Date.parse(block.slice(writtenAt, writtenAt + 24)));
}

/** Sends at a fixed rate, whatever the answers do (open loop); resolves to the times of the answers. */
async function steadyPuts(port: number, seconds: number): Promise<Latencies> {
  const answered = new Latencies();
  let failure: Error | undefined;
  const idle = await Promise.all(
    Array.from({ length: WRITERS }, () => RawConnection.open(port, (error) => (failure ??= error))),
  );
  const connections = [...idle];
  const waiting: number[] = [];
  const send = (sentMs: number, connection: RawConnection): void => {
    const body = JSON.stringify({ body: { sent_ms: sentMs, text: 'x'.repeat(240) } });
    connection.send(
      requestBytes({ method: 'PUT', path: objectPath(Math.floor(sentMs) % 1_000), body }),
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
      const due = Math.min(seconds * 1000, nowMs - startMs) * (PUTS_PER_SECOND / 1000);
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
