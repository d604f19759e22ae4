import * as fc from 'fast-check';

import { FrameType, encodeFrame } from './frame';
import { FrameParser } from './frame-parser';

// Goal: whatever the chunking and whatever the damage, a parser hands out frames that were sent, in order.
// Method: random frames, cut into random chunks, with random bytes changed, removed or inserted.

const LIMIT_BYTES = 2_000;

interface Frame {
  readonly type: number;
  readonly kind: number;
  readonly correlation: number;
  readonly body: Uint8Array;
}

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.integer({ min: 1, max: 9 }),
  kind: fc.integer({ min: 0, max: 0xffff }),
  correlation: fc.integer({ min: 0, max: 0xffff_ffff }),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: LIMIT_BYTES }).map((length) => new Uint8Array(length).fill(length & 0xff)),
  ),
});

const encode = (frames: readonly Frame[]): Buffer =>
  Buffer.concat(frames.map(({ body, ...head }) => encodeFrame(head, body)));

/** Cuts at positions given as fractions, so that shrinking keeps them in range. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const ends = [...fractions.map((fraction) => Math.floor(fraction * bytes.length)), bytes.length];
  let start = 0;
  return ends
    .sort((a, b) => a - b)
    .map((end) => {
      const chunk = Buffer.from(bytes.subarray(start, end));
      start = end;
      return chunk;
    });
}

const textOf = ({ type, kind, correlation, body }: Frame): string =>
  `${type} ${kind} ${correlation} ${Buffer.from(body).toString('hex')}`;

function parse(chunks: readonly Buffer[]): { frames: Frame[]; fault: string | undefined } {
  const frames: Frame[] = [];
  const parser = new FrameParser(LIMIT_BYTES, (type, kind, correlation, body) =>
    frames.push({ type, kind, correlation, body: new Uint8Array(body) }),
  );
  let fault: string | undefined;
  for (const chunk of chunks) fault = parser.push(chunk);
  return { frames, fault };
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

describe('frame parser', () => {
  test('any chunking gives the same frames', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fraction, { maxLength: 12 }),
        (frames, cuts) => {
          expect(parse(cut(encode(frames), cuts))).toEqual({ frames, fault: undefined });
        },
      ),
      { seed: 7401, numRuns: 500 },
    );
  });

  test('single bytes as chunks', () => {
    const frames = [1, 2, 3].map((kind) => ({
      type: 4,
      kind,
      correlation: 9,
      body: new Uint8Array(kind * 7),
    }));
    expect(parse([...encode(frames)].map((byte) => Buffer.from([byte])))).toEqual({
      frames,
      fault: undefined,
    });
  });

  test('no damage makes it hand out an altered frame, or throw', () => {
    const damage = fc.oneof(
      fc.record({ at: fraction, xor: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ at: fraction, remove: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ at: fraction, insert: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
    );
    let faults = 0;
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 8 }),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        fc.array(fraction, { maxLength: 6 }),
        (frames, damages, cuts) => {
          let bytes = encode(frames);
          for (const one of damages) {
            const at = Math.min(Math.floor(one.at * bytes.length), Math.max(0, bytes.length - 1));
            if ('xor' in one && bytes.length > 0) bytes[at] = (bytes[at] as number) ^ one.xor;
            if ('remove' in one)
              bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.remove)]);
            if ('insert' in one)
              bytes = Buffer.concat([bytes.subarray(0, at), one.insert, bytes.subarray(at)]);
          }
          const { frames: handedOut, fault } = parse(cut(bytes, cuts));
          if (fault !== undefined) faults++;
          // A gap of exactly whole frames cannot be seen at this level (TCP has no such gaps): hence "a subsequence".
          const sent = frames.map(textOf);
          let next = 0;
          for (const one of handedOut) {
            const found = sent.indexOf(textOf(one), next);
            expect(found).toBeGreaterThanOrEqual(next);
            next = found + 1;
          }
        },
      ),
      { seed: 7402, numRuns: 2_000 },
    );
    expect(faults).toBeGreaterThan(500);
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chunks) => {
        expect(parse(chunks.map((chunk) => Buffer.from(chunk))).frames).toEqual([]);
      }),
      { seed: 7403, numRuns: 1_000 },
    );
  });

  test('the limit holds before memory is set aside, and is exact', () => {
    const largest = { type: FrameType.message, kind: 1, correlation: 0, body: new Uint8Array(LIMIT_BYTES) };
    expect(parse([encode([largest])]).frames).toHaveLength(1);
    const tooLarge = { ...largest, body: new Uint8Array(LIMIT_BYTES + 1) };
    expect(parse([encode([tooLarge]).subarray(0, 4)])).toEqual({ frames: [], fault: 'frame_too_large' });
    expect(parse([Buffer.from([0, 0, 0, 11])])).toEqual({ frames: [], fault: 'malformed' });
  });

  test('nothing is handed out after a stop within a chunk, or after a fault', () => {
    const one = { type: FrameType.message, kind: 1, correlation: 0, body: new Uint8Array(3) };
    let count = 0;
    const parser = new FrameParser(LIMIT_BYTES, () => {
      count++;
      parser.stop();
    });
    parser.push(encode([one, one]));
    parser.push(encode([one]));
    expect(count).toBe(1);

    const damaged = encode([one, one]);
    damaged[4] = (damaged[4] as number) ^ 1;
    expect(parse([damaged, encode([one])])).toEqual({ frames: [], fault: 'crc' });
  });

  test('frames within one chunk are not copied', () => {
    const chunk = encode([
      { type: FrameType.message, kind: 1, correlation: 0, body: new Uint8Array([1, 2, 3]) },
    ]);
    let body: Buffer | undefined;
    new FrameParser(LIMIT_BYTES, (_type, _kind, _correlation, bytes) => (body = bytes)).push(chunk);
    expect(body?.buffer).toBe(chunk.buffer);
  });
});
