// What the client adds to a call over bare `fetch`, and how many events of a watch it takes a second of one core: the
// server is a process of its own, so that the time of this one's processor is the client's alone.
// `node dist/libs/client/bench/client-overhead.js`
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../src/index.js';

const CALLS = 5_000;
const WARM_UP = 1_000;
const EVENTS = 200_000;
const SERVE = 'serve';
const OBJECT = {
  id: 'task-1',
  ns: 'agent://bench',
  type: 'task',
  body: { status: 'running', text: 'x'.repeat(200) },
  tags: { priority: 'high' },
  parents: [],
  commit: '0'.repeat(64),
  commit_seq: 1,
  created_seq: 1,
  ts: '2026-11-23T09:00:00.000Z',
};

async function main(): Promise<void> {
  const server = fork(__filename, [SERVE]);
  const [url] = (await once(server, 'message')) as [string];
  const client = new Client(url, { token: null });
  const path = `${url}/v1/agent%3A%2F%2Fbench/objects/task-1`;
  const bare = async (): Promise<unknown> => (await fetch(path)).json();
  const ours = (): Promise<unknown> => client.get('agent://bench', 'task-1');
  // Taken in turns, so that a slow spell of the machine falls on both.
  const bareMicros: number[] = [];
  const oursMicros: number[] = [];
  for (let call = 0; call < CALLS + WARM_UP; call++) {
    const [a, b] = [await timed(bare), await timed(ours)];
    if (call < WARM_UP) continue;
    bareMicros.push(a);
    oursMicros.push(b);
  }
  const [without, withClient] = [median(bareMicros), median(oursMicros)];
  console.log(
    `get: fetch ${without.toFixed(0)} µs, client ${withClient.toFixed(0)} µs, adds ${(withClient - without).toFixed(0)} µs (medians)`,
  );

  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  let taken = 0;
  for await (const event of client.watch('agent://bench'))
    if (event.type === 'PUT' && ++taken === EVENTS) break;
  const { user, system } = process.cpuUsage(startCpu);
  const rate = (micros: number): number => Math.round((EVENTS * 1e6) / micros);
  console.log(
    `watch: ${rate(user + system)} events for a second of one core, ${rate((performance.now() - startMs) * 1_000)} events/s here`,
  );
  server.disconnect();
}

/** Ends with the process that measures. */
async function serve(): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url?.includes('/watch')) return sendEvents(response);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(OBJECT));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(process, 'disconnect');
  server.closeAllConnections();
  server.close();
}

function sendEvents(response: import('node:http').ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let seq = 0;
  const more = (): void => {
    while (seq < EVENTS) {
      seq++;
      const event = {
        type: 'PUT',
        ns: OBJECT.ns,
        id: OBJECT.id,
        commit_seq: seq,
        ts: OBJECT.ts,
        object: OBJECT,
      };
      if (!response.write(`id: ${seq}\ndata: ${JSON.stringify(event)}\n\n`))
        return void response.once('drain', more);
    }
  };
  more();
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return (performance.now() - startMs) * 1_000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

void (process.argv[2] === SERVE ? serve() : main());
