import net from 'node:net';
import { SseParser } from '#testkit';
import { Scratch } from './launcher/scratch';
import { until } from './launcher/until';

const NS = 'agent://large';
const PATH = `/v1/${encodeURIComponent(NS)}`;
const OBJECTS = 20_000;
const BODY = 'x'.repeat(2_000);
const IN_A_BATCH = 100;
const WATCHERS = 8;
/** Of the 40 MB that each of them is to be sent, and 320 MB for all. */
const MOST_MIB = 80;
const ORDINARY_REQUESTS = 300;

/** A stream that is read only when it is told to. */
function open(port: number): net.Socket {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${PATH}/watch?initial=true HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  socket.pause();
  return socket;
}

/** Ids of the state that a stream begins with. */
async function readState(url: string): Promise<Set<string>> {
  const response = await fetch(`${url}${PATH}/watch?initial=true`);
  const parser = new SseParser();
  const ids = new Set<string>();
  for await (const bytes of response.body!) {
    for (const { data } of parser.push(bytes as Uint8Array)) {
      const event = JSON.parse(data) as { readonly type: string; readonly id: string };
      if (event.type === 'BOOKMARK') return ids;
      if (ids.has(event.id)) throw new Error(`${event.id} came twice`);
      ids.add(event.id);
    }
  }
  throw new Error('the stream ended before its bookmark');
}

/**
 * The goal: a stream that begins with a large state costs its reader's pace, not the node's memory. The method: many
 * such streams that nobody reads, while the node serves others; its resident memory stays far below what they are
 * to be sent.
 */
test('a watch that begins with a large state waits for its reader in constant memory', async () => {
  const scratch = new Scratch();
  try {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    for (let at = 0; at < OBJECTS; at += IN_A_BATCH) {
      const ops = Array.from({ length: IN_A_BATCH }, (_, offset) => ({
        op: 'put',
        id: `o-${at + offset}`,
        body: BODY,
      }));
      const response = await fetch(`${server.url}${PATH}/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ops }),
      });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    }
    // What a first stream needs once, such as compiled code and filled caches, is not what is looked for.
    expect((await readState(server.url)).size).toBe(OBJECTS);
    const beforeMib = server.residentMib();
    const sockets = Array.from({ length: WATCHERS }, () => open(Number(new URL(server.url).port)));
    await until('all streams to be open', async () => {
      const metrics = await fetch(`${server.url}/metrics`).then((response) => response.text());
      return metrics.includes(`\nwatch_clients_total ${WATCHERS}\n`);
    });
    let mostMib = 0;
    for (let count = 0; count < ORDINARY_REQUESTS; count++) {
      const response = await fetch(`${server.url}${PATH}/objects/o-${count}`);
      expect(response.status).toBe(200);
      await response.arrayBuffer();
      mostMib = Math.max(mostMib, server.residentMib());
    }
    console.log(`${WATCHERS} unread streams: ${beforeMib.toFixed(0)} to ${mostMib.toFixed(0)} MiB resident`);
    expect(mostMib - beforeMib).toBeLessThan(MOST_MIB);
    expect((await readState(server.url)).size).toBe(OBJECTS);
    for (const socket of sockets) socket.destroy();
  } finally {
    await scratch.clear();
  }
});
