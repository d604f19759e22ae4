import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import { fuzz, fuzzDeadlineMs } from '#testkit';
import { CHECKED_OFFSET, FRAME_HEADER_BYTES, LENGTH_FIELD_BYTES, MIN_LENGTH, encodeFrame } from './frame';
import { FrameParser } from './frame-parser';
import { decodeHello, decodeRefusal, decodeVersions, encodeHello } from './hello';

// Goal: whatever a stranger sends, the parser of frames and the readers of a handshake neither fail nor believe it.
// Method: changed golden bytes; a second, plain reader of whole streams says what has to come out of any chunking.

jest.setTimeout(fuzzDeadlineMs());

const LIMIT_BYTES = 300;
const CORPUS = join(__dirname, '..', 'fuzz-corpus');
const GOLDEN = readFileSync(join(__dirname, '..', 'golden', 'version-1.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => new Uint8Array(Buffer.from(line.split(' ')[1] ?? '', 'hex')))
  // The preamble is read before the first frame.
  .slice(1);

interface Parsed {
  readonly frames: readonly string[];
  readonly fault: string | undefined;
}

const frameText = (type: number, kind: number, correlation: number, body: Uint8Array): string =>
  `${type} ${kind} ${correlation} ${Buffer.from(body).toString('hex')}`;

/** FORMAT.md, read off a whole stream and with nothing shared with the parser but the layout's names. */
function expectedOf(stream: Buffer): Parsed {
  const frames: string[] = [];
  let at = 0;
  while (stream.length - at >= LENGTH_FIELD_BYTES) {
    const length = stream.readUInt32BE(at);
    if (length < MIN_LENGTH) return { frames, fault: 'malformed' };
    if (length > MIN_LENGTH + LIMIT_BYTES) return { frames, fault: 'frame_too_large' };
    const end = at + LENGTH_FIELD_BYTES + length;
    if (end > stream.length) break;
    const checked = crc32(stream.subarray(at + CHECKED_OFFSET, end), length);
    if (checked !== stream.readUInt32BE(at + LENGTH_FIELD_BYTES)) return { frames, fault: 'crc' };
    if (stream[at + 9] !== 0) return { frames, fault: 'malformed' };
    const body = stream.subarray(at + FRAME_HEADER_BYTES, end);
    frames.push(
      frameText(stream.readUInt8(at + 8), stream.readUInt16BE(at + 10), stream.readUInt32BE(at + 12), body),
    );
    at = end;
  }
  return { frames, fault: undefined };
}

const SOUND = encodeFrame({ type: 4, kind: 1, correlation: 0 }, Buffer.from('sound'));

/** Chunks of these sizes in turn; afterwards a sound frame, which must not come through behind a fault. */
function parsedIn(sizes: readonly number[], stream: Buffer): Parsed {
  const frames: string[] = [];
  const parser = new FrameParser(LIMIT_BYTES, (type, kind, correlation, body) => {
    if (body.length > LIMIT_BYTES) throw new Error(`a body of ${body.length} bytes`);
    frames.push(frameText(type, kind, correlation, body));
  });
  let fault: string | undefined;
  let end = 0;
  for (let turn = 0; end < stream.length; turn++) {
    const start = end;
    end += sizes[turn % sizes.length] as number;
    const chunkFault = parser.push(Buffer.from(stream.subarray(start, end)));
    if (fault !== undefined && chunkFault !== fault) throw new Error(`${fault} became ${chunkFault}`);
    fault = chunkFault;
  }
  const before = frames.length;
  if (fault !== undefined && (parser.push(SOUND) !== fault || frames.length > before))
    throw new Error('something came through after a fault');
  return { frames, fault };
}

/** Lengths and checksums put right, so that what lies behind them is met as well. */
function resealed(stream: Buffer): Buffer {
  const copy = Buffer.from(stream);
  for (let at = 0; copy.length - at >= FRAME_HEADER_BYTES;) {
    const most = copy.length - at - LENGTH_FIELD_BYTES;
    const length = Math.min(Math.max(copy.readUInt32BE(at), MIN_LENGTH), most);
    copy.writeUInt32BE(length, at);
    const end = at + LENGTH_FIELD_BYTES + length;
    copy.writeUInt32BE(crc32(copy.subarray(at + CHECKED_OFFSET, end), length), at + LENGTH_FIELD_BYTES);
    at = end;
  }
  return copy;
}

/** Like `toEqual`, which is slow, for the many times when it holds. */
const same = (found: unknown, expected: unknown): void => {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
};

describe('fuzz', () => {
  test('frame', async () => {
    const judge = (input: Uint8Array): string => {
      let outcome = '';
      for (const stream of [Buffer.from(input), resealed(Buffer.from(input))]) {
        const expected = expectedOf(stream);
        for (const sizes of [[4_096], [1], [3], [1, 7, 2], [16], [5, 200]]) {
          same(parsedIn(sizes, stream), expected);
        }
        outcome += ` ${expected.fault ?? 'sound'} after ${Math.min(expected.frames.length, 3)}`;
      }
      return outcome;
    };
    const seeds = [...GOLDEN, new Uint8Array(Buffer.concat(GOLDEN.slice(0, 4)))];
    const { outcomes } = await fuzz({ name: 'frame', corpus: CORPUS, seeds, judge });
    const seen = [...outcomes.keys()].join();
    for (const kind of ['sound', 'crc', 'malformed', 'frame_too_large']) expect(seen).toContain(kind);
  });

  test('hello', async () => {
    const judge = (input: Uint8Array): string => {
      const body = Buffer.from(input);
      const versions = decodeVersions(body);
      const refusal = decodeRefusal(body);
      if (refusal !== undefined) expect(refusal.detail).toMatch(/^[ -~]{0,200}$/);
      const hello = decodeHello(body);
      if (hello === undefined) return refusal === undefined ? 'nothing' : `refusal ${refusal.reason}`;
      // Texts that are no UTF-8 are read with marks in their place; all else comes out as it went in.
      const isText = Buffer.from(body.toString('utf8', 62), 'utf8').equals(body.subarray(62));
      if (!isText) return 'a hello with texts that are none';
      expect(encodeHello(hello, versions ?? { min: 0, max: 0 }, body.subarray(30, 62))).toEqual(body);
      return `hello ${hello.channel} ${hello.clusterId === undefined ? 'joins' : 'belongs'}`;
    };
    const seeds = GOLDEN.map((frame) => frame.slice(FRAME_HEADER_BYTES));
    const { outcomes } = await fuzz({ name: 'hello', corpus: CORPUS, seeds, judge });
    expect([...outcomes.keys()].join()).toMatch(/hello single joins.*refusal/);
  });
});
