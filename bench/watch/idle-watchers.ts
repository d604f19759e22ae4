import net from 'node:net';
import type { TargetProcess } from '../target-process';
import { NAMESPACE } from '../workload';
import { steadyPuts } from './steady-puts';

const IDLE = 10_000;
const OPENED_AT_ONCE = 100;
/** As many do not read, while so many events are sent. */
const DEAF = 100;
const SETTLE_MS = 3_000;

const REQUEST = `GET /v1/${encodeURIComponent(NAMESPACE)}/watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

/** Opens a stream and takes its first bytes; with `deaf` it reads nothing from then on. */
function openStream(port: number, deaf: boolean): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.on('error', reject);
    socket.once('data', () => {
      if (deaf) socket.pause();
      else socket.resume();
      resolve(socket);
    });
    socket.write(REQUEST);
  });
}

async function openStreams(port: number, count: number, deaf: boolean): Promise<readonly net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    const next = Math.min(OPENED_AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: next }, () => openStream(port, deaf)))));
  }
  return sockets;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** What a watcher of which nothing happens takes of the node's memory. */
export async function idleWatchers(server: TargetProcess): Promise<string> {
  for (const socket of await openStreams(server.port, 500, false)) socket.destroy();
  await settled();
  const beforeMib = server.residentMib();
  const sockets = await openStreams(server.port, IDLE, false);
  await settled();
  const afterMib = server.residentMib();
  const beforeCpuMs = server.cpuMs();
  const startMs = performance.now();
  await settled();
  await settled();
  const share = ((server.cpuMs() - beforeCpuMs) / (performance.now() - startMs)) * 100;
  for (const socket of sockets) socket.destroy();
  const each = ((afterMib - beforeMib) * 1024 * 1024) / IDLE / 1000;
  return `${IDLE} idle watchers: ${beforeMib.toFixed(0)} to ${afterMib.toFixed(0)} MiB resident, ${each.toFixed(1)} kB each, ${share.toFixed(1)} % of a core`;
}

/** What watchers that read nothing hold while many events are sent to them. */
export async function watchersThatDoNotRead(server: TargetProcess): Promise<string> {
  await settled();
  const beforeMib = server.residentMib();
  const sockets = await openStreams(server.port, DEAF, true);
  let mostMib = 0;
  const timer = setInterval(() => (mostMib = Math.max(mostMib, server.residentMib())), 100);
  const puts = { port: server.port, seconds: 20, putsPerSecond: 1_000, keys: 1_000, kinds: 1 };
  const answered = (await steadyPuts(puts)).summary();
  clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  const each = (mostMib - beforeMib) / DEAF;
  return `${DEAF} watchers that do not read, ${answered.count} events: at most ${each.toFixed(2)} MiB more each, puts p95 ${answered.p95.toFixed(1)} ms`;
}
