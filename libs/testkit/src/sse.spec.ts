import fc from 'fast-check';
import { SseParser, type SseEvent } from './sse';

/** Goal: a stream means the same however it is cut. Method: the standard's own examples, then random cuts. */
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): SseEvent[] => new SseParser().push(bytesOf(text));

describe('SseParser', () => {
  it('reads the examples of the standard', () => {
    expect(parse('data: YHOO\ndata: +2\ndata: 10\n\n').map(({ data }) => data)).toEqual(['YHOO\n+2\n10']);
    expect(
      parse(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n'),
    ).toEqual([
      { type: 'message', data: 'first event', lastEventId: '1', id: '1' },
      { type: 'message', data: 'second event', lastEventId: '', id: '' },
      { type: 'message', data: ' third event', lastEventId: '' },
    ]);
    expect(parse('data\n\ndata\ndata\n\ndata:').map(({ data }) => data)).toEqual(['', '\n']);
    expect(parse('data:test\n\ndata: test\n\n').map(({ data }) => data)).toEqual(['test', 'test']);
  });

  it('keeps the id of an event without data, ignores one with a NUL, and takes retry only as digits', () => {
    const parser = new SseParser();
    expect(parser.push(bytesOf('id: 7\n\nid: 8\0\nretry: 1x\nretry: 250\nevent: e\ndata: d\n\n'))).toEqual([
      { type: 'e', data: 'd', lastEventId: '7' },
    ]);
    expect(parser.retryMs).toBe(250);
  });

  it('drops one byte order mark and what the stream ends in the middle of', () => {
    expect(parse('\uFEFFdata: a\n\ndata: b\n').map(({ data }) => data)).toEqual(['a']);
    expect(parse('data: a\n\n\uFEFFdata: b\n\n').map(({ data }) => data)).toEqual(['a']);
  });

  it('reads the same however the bytes are cut and the lines end', () => {
    const line = fc.oneof(
      fc.constantFrom('', 'data', 'id', ': hello', 'retry: 5', 'event: x', 'unknown: y'),
      fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
      fc.nat(99).map((id) => `id:${id}`),
    );
    const ending = fc.constantFrom('\n', '\r', '\r\n');
    fc.assert(
      fc.property(
        fc.array(line),
        ending,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (lines, eol, cuts) => {
          const bytes = bytesOf(lines.join(eol) + eol);
          const parser = new SseParser();
          const events: SseEvent[] = [];
          for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
            const end = offset + cuts[turn % cuts.length]!;
            events.push(...parser.push(bytes.subarray(offset, end)));
            offset = end;
          }
          expect(events).toEqual(parse(lines.join('\n') + '\n'));
        },
      ),
      { seed: 1 },
    );
  });
});
