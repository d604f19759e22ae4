import net from 'node:net';

/** Below the ports that systems give to outgoing connections, so that none is lost while its node is down. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
/** Nine, enough for three nodes with three ports each. */
const IN_A_ROW = 9;

/** Ports of the loopback that nobody listens on right now, different from each other. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomPort();
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

/** The first of several ports in a row that are free right now. */
export async function freePortsInARow(): Promise<number> {
  for (;;) {
    const first = randomPort();
    const free = await Promise.all(Array.from({ length: IN_A_ROW }, (_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
}

function randomPort(): number {
  return FIRST_PORT + Math.floor(Math.random() * PORTS);
}

function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
