import { createServer } from 'node:net';

/** Nine, enough for three nodes with three ports each. */
const IN_A_ROW = 9;

/** The first of several ports in a row that are free right now, below those that the system gives out by itself. */
export async function freePortsInARow(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: IN_A_ROW }, (_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
