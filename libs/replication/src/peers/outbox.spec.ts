import { EntryKind, groupId, memberId, type LogIndex, type MemberId, type Term } from '#contracts';
import { MessageType, type Message } from '#raft';
import { Outbox } from './outbox';
import { readRaftFrame } from './raft-frame';

const MIB = 1_048_576;
const GROUP = groupId(1);

const append = (to: number, index: number, bytes: number): Message => ({
  type: MessageType.append,
  from: memberId(1),
  to: memberId(to),
  term: 1 as Term,
  index: (index - 1) as LogIndex,
  logTerm: 1 as Term,
  commit: 0 as LogIndex,
  entries: [
    { index: index as LogIndex, term: 1 as Term, kind: EntryKind.normal, data: new Uint8Array(bytes) },
  ],
  reject: false,
  rejectHint: 0 as LogIndex,
  context: 0,
  transfer: false,
  snapshot: undefined,
});

/** What an outbox hands to the links for these messages of one turn. */
function framesOf(messages: readonly Message[]): { readonly to: MemberId; readonly body: Buffer }[] {
  const frames: { to: MemberId; body: Buffer }[] = [];
  const outbox = new Outbox({
    send: (to, _, parts) => {
      frames.push({ to, body: Buffer.concat(parts) });
      return true;
    },
  });
  for (const message of messages) outbox.add(GROUP, message);
  outbox.flush();
  return frames;
}

/**
 * Goal: however far a peer is behind, what one turn has for it fits into frames that its link takes. Method: a window of
 * appends of a mebibyte each, and one of an entry as large as a body may be.
 */
test('a whole window of appends leaves in many frames, in order', () => {
  const window = Array.from({ length: 20 }, (_, at) => append(2, at + 1, MIB));
  const frames = framesOf(window);
  expect(Math.max(...frames.map(({ body }) => body.length))).toBeLessThan(4 * MIB);
  const indexes = frames.flatMap(({ body }) => [...readRaftFrame(body)].map(({ message }) => message.index));
  expect(indexes).toEqual(window.map(({ index }) => index));
});

test('small messages of one turn share a frame with each peer', () => {
  const frames = framesOf([append(2, 1, 300), append(3, 1, 300), append(2, 2, 300), append(3, 2, 300)]);
  expect(frames.map(({ to, body }) => [to, [...readRaftFrame(body)].length])).toEqual([
    [2, 2],
    [3, 2],
  ]);
});

test('what is gathered before a large entry does not wait for the end of the turn', () => {
  const frames = framesOf([append(2, 1, 300), append(2, 2, 8 * MIB), append(2, 3, 300)]);
  expect(frames.map(({ body }) => [...readRaftFrame(body)].length)).toEqual([2, 1]);
});
