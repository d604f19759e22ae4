import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { until } from '../testing/test-node';
import { FrameType } from './frame';
import { FrameParser } from './frame-parser';
import { FrameQueue } from './frame-queue';

// Goal: the queue keeps order and bytes for frames of any size, stays within its bounds and batches.
// Method: a real pair of sockets whose reading side the test stops and starts.

const message = { type: FrameType.message, kind: 7, correlation: 0 };

let server: Server;
let reader: Socket;
let writer: Socket;

beforeEach(async () => {
  server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  writer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  reader = await accepted;
});

afterEach(async () => {
  reader.destroy();
  writer.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function readFrames(): Buffer[] {
  const bodies: Buffer[] = [];
  const parser = new FrameParser(1 << 24, (_type, _kind, _correlation, body) => bodies.push(body));
  reader.on('data', (chunk: Buffer) => expect(parser.push(chunk)).toBeUndefined());
  reader.resume();
  return bodies;
}

describe('frame queue', () => {
  test('frames of all sizes, in several parts, arrive whole and in order', async () => {
    const queue = new FrameQueue(writer, { bytes: 1 << 26, frames: 10_000 }, () => undefined);
    const bodies = readFrames();
    const sizes = [0, 1, 400, 8_192, 8_193, 65_536, 3, 2_000_000, 17, 60_000, 8_000, 8_000];
    const sent: Buffer[] = [];
    for (let round = 0; round < 30; round++) {
      for (const size of sizes) {
        const body = Buffer.alloc(size, sent.length & 0xff);
        const middle = size >> 1;
        const parts = [body.subarray(0, middle), body.subarray(middle)];
        expect(queue.push(message, parts, size)).toBe(sent.length + 1);
        sent.push(body);
      }
      // Some rounds follow in the same tick, some meet a write under way, some an idle socket, where the block starts over.
      if (round % 3 === 1) await new Promise((resolve) => setImmediate(resolve));
      if (round % 3 === 2) await until('the queue is empty', () => queue.bytes === 0);
    }
    await until('everything arrived', () => bodies.length === sent.length);
    expect(bodies.every((body, index) => body.equals(sent[index] as Buffer))).toBe(true);
    await until('the queue is empty', () => queue.bytes === 0 && queue.frames === 0);
  });

  test('a reader that stops leaves a queue within its bounds, in the socket too', async () => {
    const limits = { bytes: 300_000, frames: 10_000 };
    const queue = new FrameQueue(writer, limits, () => undefined);
    const body = Buffer.alloc(2_000);
    let accepted = 0;
    const fill = (): void => {
      while (queue.push(message, [body], body.length) !== 0) accepted++;
    };
    // The kernel takes some megabytes before it stops; then the queue has to say no, and go on saying it.
    for (let stalled = 0; stalled < 20;) {
      const before = accepted;
      fill();
      expect(queue.bytes).toBeLessThanOrEqual(limits.bytes);
      expect(writer.writableLength).toBeLessThanOrEqual(limits.bytes);
      stalled = accepted === before ? stalled + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(queue.push(message, [body], body.length)).toBe(0);
    const bodies = readFrames();
    await until('what was accepted arrived', () => bodies.length === accepted);
    expect(queue.push(message, [body], body.length)).toBe(accepted + 1);
  });

  test('the number of frames is bounded as well', () => {
    const queue = new FrameQueue(writer, { bytes: 1 << 20, frames: 3 }, () => undefined);
    const results = [1, 2, 3, 4].map(() => queue.push(message, [], 0));
    expect(results).toEqual([1, 2, 3, 0]);
  });

  test('what is queued in one tick leaves as one write', async () => {
    const writes: number[] = [];
    const queue = new FrameQueue(writer, { bytes: 1 << 20, frames: 1_000 }, (bytes) => writes.push(bytes));
    const bodies = readFrames();
    for (let count = 0; count < 100; count++) queue.push(message, [Buffer.alloc(400)], 400);
    expect(queue.mayHaveLeft(1)).toBe(false);
    await until('everything arrived', () => bodies.length === 100 && queue.bytes === 0);
    expect(writes).toEqual([100 * 416]);
    expect(queue.mayHaveLeft(100)).toBe(true);
    expect(queue.mayHaveLeft(101)).toBe(false);
  });

  test('finish hands everything over and takes nothing more', async () => {
    const queue = new FrameQueue(writer, { bytes: 1 << 24, frames: 1_000 }, () => undefined);
    const bodies = readFrames();
    for (let count = 0; count < 5; count++) queue.push(message, [Buffer.alloc(700_000)], 700_000);
    queue.finish();
    expect(queue.push(message, [], 0)).toBe(0);
    writer.end();
    await until('everything arrived', () => bodies.length === 5);
  });
});
