import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fuzz, fuzzDeadlineMs, SseParser } from '#testkit';
import { ProtocolError } from '../errors.js';
import { EventStreamParser, type StreamEvent } from './event-stream.js';

// Goal: whatever comes over a watch's connection, and however it is cut, the same events come out, the memory held
// has its bound, and what is too long ends in a ProtocolError. Method: changed event streams; the testkit's own
// parser, which shares no code with this one, says what the events are.

jest.setTimeout(fuzzDeadlineMs());

const LIMIT = 200;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const SEEDS = [
  'id: 13\ndata: {"type":"PUT","id":"task-1","commit_seq":13}\n\n',
  ': awake\n\nid: 14\ndata: {"type":"BOOKMARK","commit_seq":14}\n\ndata: {"type":"PUT"}\n\n',
  'data: a\r\ndata: b\r\rid:7\r\ndata\n\nevent: x\nretry: 5\ndata:  ü€😀\n\n',
  '\uFEFFdata: after a byte order mark\n\nid: a\0b\ndata:\n\n',
  `data: ${'x'.repeat(150)}\ndata: ${'y'.repeat(40)}\n\nid: ${'9'.repeat(190)}\n\n`,
].map(encode);
const WORDS = [
  'data:',
  'id:',
  ':',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\0',
  '\uFEFF',
  ' ',
  '€',
  'data',
  'event:',
].map(encode);

interface Parsed {
  readonly events: readonly StreamEvent[];
  readonly tooLong: boolean;
}

/** What the parser keeps between two chunks. */
function heldBy(parser: EventStreamParser): number {
  const { line, data, id } = parser as unknown as { line: string[]; data?: string; id?: string };
  return line.reduce((sum, piece) => sum + piece.length, 0) + (data?.length ?? 0) + (id?.length ?? 0);
}

function parsedIn(size: number, input: Uint8Array): Parsed {
  const parser = new EventStreamParser(LIMIT);
  const events: StreamEvent[] = [];
  for (let start = 0; start < input.length; start += size) {
    try {
      events.push(...parser.push(input.slice(start, start + size)));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { events, tooLong: true };
    }
    // An unfinished line, and the event before it.
    if (heldBy(parser) > 2 * LIMIT) throw new Error(`${heldBy(parser)} units are held`);
  }
  return { events, tooLong: false };
}

/** Like `toEqual`, which is slow, for the many times when it holds. */
const same = (found: unknown, expected: unknown): void => {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
};

describe('fuzz', () => {
  test('sse', async () => {
    const judge = (input: Uint8Array): string => {
      const oracle = new SseParser();
      const expected = oracle.push(input).map(({ data, id }): StreamEvent => ({ data, id }));
      const whole = parsedIn(input.length || 1, input);
      for (const size of [1, 2, 3, 7, 64]) {
        const { events, tooLong } = parsedIn(size, input);
        same(tooLong, whole.tooLong);
        // What is too long ends a stream where its chunk begins; what was whole before that is the same.
        same(events, tooLong ? expected.slice(0, events.length) : expected);
      }
      if (!whole.tooLong) same(whole.events, expected);
      return whole.tooLong ? 'too long' : `${Math.min(expected.length, 4)} events`;
    };
    const corpus = join(__dirname, '..', '..', 'fuzz-corpus');
    const { outcomes } = await fuzz({ name: 'sse', corpus, seeds: SEEDS, words: WORDS, judge });
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['too long', '0 events', '3 events']));
  });
});
