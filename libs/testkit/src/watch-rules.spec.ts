import { commitSeq, type ChangeBatch, type ChangeEvent } from '#contracts';
import { SseParser } from './sse';
import { checkWatchStream, type WatchStream } from './watch-rules';

/** Goal: the rules pass what is right and name each broken promise. Method: one right stream, broken one by one. */
const NS = 'agent://rules';
const TS = '1970-01-01T00:00:00.000Z';
const event = (id: string, kind: 'put' | 'delete' = 'put'): ChangeEvent => ({
  kind,
  id,
  type: 'object',
  tags: {},
  ...(kind === 'put'
    ? { object: new TextEncoder().encode(`{"id":"${id}"}`) }
    : { reason: 'delete' as const }),
});
const batch = (seq: number, prev: number, ...events: ChangeEvent[]): ChangeBatch => ({
  ns: NS,
  commitSeq: commitSeq(seq),
  prevCommitSeq: commitSeq(prev),
  tsMs: 0,
  events,
});
const HISTORY = [
  batch(1, 0, event('a')),
  batch(3, 1, event('a'), event('b')),
  batch(4, 3, event('a', 'delete')),
  batch(6, 4, event('c')),
];

const id = (seq: number): string => `id: ${seq}\n`;
const put = (name: string, seq: number): string =>
  `data: {"type":"PUT","ns":"${NS}","id":"${name}","commit_seq":${seq},"ts":"${TS}","object":{"id":"${name}"}}\n\n`;
const remove = (name: string, seq: number): string =>
  `data: {"type":"DELETE","ns":"${NS}","id":"${name}","commit_seq":${seq},"ts":"${TS}","reason":"delete"}\n\n`;
const bookmark = (seq: number): string =>
  `${id(seq)}data: {"type":"BOOKMARK","ns":"${NS}","commit_seq":${seq}}\n\n`;
const overflow = (seq: number): string =>
  `${id(seq)}data: {"type":"OVERFLOW","error":"overflow","last_commit":${seq},"retry_after_ms":1}\n\n`;
const END = 'data: {"type":"END","reason":"draining"}\n\n';

function check(text: string, stream: Partial<WatchStream> = {}): string[] {
  const events = new SseParser().push(new TextEncoder().encode(text));
  return checkWatchStream({ ns: NS, filter: {}, initial: false, events, ...stream }, HISTORY);
}

const FROM_TWO = [bookmark(1), put('a', 3), id(3) + put('b', 3), id(4) + remove('a', 4), bookmark(5)];

describe('the rules of a stream', () => {
  it('pass right streams, wherever they were cut', () => {
    for (let length = 0; length <= FROM_TWO.length; length++) {
      expect(check(FROM_TWO.slice(0, length).join(''), { from: 2 })).toEqual([]);
    }
    expect(check(FROM_TWO.join('') + overflow(5))).toEqual([]);
    expect(check(FROM_TWO.join('') + END, { reached: 6 })).toEqual([]);
    expect(
      check(bookmark(1) + id(3) + put('b', 3) + bookmark(5), { filter: { prefix: 'b' }, reached: 5 }),
    ).toEqual([]);
    expect(check(put('b', 3) + bookmark(4) + id(6) + put('c', 6), { initial: true, reached: 6 })).toEqual([]);
  });

  const broken: readonly (readonly [name: string, text: string, stream?: Partial<WatchStream>])[] = [
    ['a stream that begins elsewhere', bookmark(2), { from: 2 }],
    ['a change before the first bookmark', id(1) + put('a', 1)],
    ['a missed change', bookmark(0) + put('a', 3)],
    ['a change twice', bookmark(0) + id(1) + put('a', 1) + id(1) + put('a', 1)],
    ['changes out of order', bookmark(3) + id(6) + put('c', 6) + id(4) + remove('a', 4)],
    ['a change that never was', bookmark(6) + id(7) + put('x', 7)],
    ['another object', bookmark(4) + id(6) + put('c', 6).replace('{"id":"c"}', '{"id":"d"}')],
    ['another time', bookmark(4) + id(6) + put('c', 6).replace('00:00:00', '00:00:01')],
    ['what the filter excludes', bookmark(4) + id(6) + put('c', 6), { filter: { type: 'other' } }],
    ['an id inside of a batch', bookmark(1) + id(3) + put('a', 3) + id(3) + put('b', 3)],
    ['no id at the end of a batch', bookmark(1) + put('a', 3) + put('b', 3)],
    ['a bookmark inside of a batch', bookmark(1) + put('a', 3) + bookmark(2)],
    ['a bookmark that claims too much', bookmark(1) + bookmark(3)],
    ['a bookmark that goes back', bookmark(4) + bookmark(3)],
    ['a bookmark without its id', bookmark(4).replace('id: 4\n', '')],
    ['OVERFLOW that claims too much', bookmark(1) + put('a', 3) + overflow(3)],
    ['OVERFLOW that goes back', bookmark(4) + overflow(3)],
    ['OVERFLOW before any position', overflow(0)],
    ['anything after the end', bookmark(4) + END + bookmark(5)],
    ['END for no known reason', bookmark(4) + END.replace('draining', 'boredom')],
    ['an initial state that lacks an object', bookmark(4), { initial: true }],
    ['an initial state with what is gone', put('a', 3) + put('b', 3) + bookmark(4), { initial: true }],
    ['an initial state with an object twice', put('b', 3) + put('b', 3) + bookmark(4), { initial: true }],
    ['an initial state with an id', id(3) + put('b', 3) + bookmark(4), { initial: true }],
    ['a stream that did not come as far as it must', bookmark(4) + bookmark(5), { reached: 6 }],
    ['a stream that says less than it must', bookmark(4) + id(6) + put('c', 6), { reached: 8 }],
    ['a stream that said nothing', '', { reached: 0 }],
    ['what is not JSON', 'data: {\n\n'],
    ['an unknown type', 'data: {"type":"HELLO"}\n\n'],
  ];

  for (const [name, text, stream] of broken) {
    it(`name ${name}`, () => expect(check(text, stream)).toHaveLength(1));
  }
});
