import { join } from 'node:path';
import { EntryKind, type LogIndex, type MemberId, type Term } from '#contracts';
import { fuzz, fuzzDeadlineMs } from '#testkit';
import { decodeConfChange, encodeConfChange } from './conf-change-codec';
import { decodeConfState, encodeConfState } from './conf-state-codec';
import { decodeMessage, encodeMessage } from './message-codec';
import { type ConfChange, type ConfState, type Message, MessageType } from './types';

// Goal: bytes are read as what they are, or not at all. Method: changed messages and configurations; whatever is read
// gives the very same bytes when it is written, so nothing is passed over and nothing is guessed.

jest.setTimeout(fuzzDeadlineMs());

const members = (...ids: number[]): MemberId[] => ids as MemberId[];
const confState: ConfState = {
  voters: members(1, 2, 2 ** 52),
  votersOutgoing: members(1),
  learners: members(4),
  learnersNext: [],
  autoLeave: true,
};
const message: Message = {
  type: MessageType.append,
  from: 1 as MemberId,
  to: 2 as MemberId,
  term: 3 as Term,
  index: 9 as LogIndex,
  logTerm: 2 as Term,
  commit: 8 as LogIndex,
  entries: [
    { term: 3 as Term, index: 10 as LogIndex, kind: EntryKind.normal, data: new Uint8Array([1, 2, 3]) },
    { term: 3 as Term, index: 11 as LogIndex, kind: EntryKind.confChange, data: new Uint8Array(0) },
  ],
  reject: false,
  rejectHint: 0 as LogIndex,
  context: 0,
  transfer: false,
};
const snapshot = { index: 7 as LogIndex, term: 2 as Term, confState };
const change: ConfChange = {
  transition: 'jointExplicit',
  changes: [
    { kind: 'addVoter', member: 5 as MemberId },
    { kind: 'remove', member: 1 as MemberId },
  ],
  context: new Uint8Array([7, 7]),
};

const corpus = join(__dirname, '..', 'fuzz-corpus');

describe('fuzz', () => {
  test('raft-message', async () => {
    const judge = (input: Uint8Array): string => {
      const read = decodeMessage(input);
      if (read === undefined) return 'refused';
      expect(encodeMessage(read)).toEqual(input);
      return `type ${read.type} of ${Math.min(read.entries.length, 3)} entries${read.snapshot ? ' and a snapshot' : ''}`;
    };
    const seeds = [
      encodeMessage(message),
      encodeMessage({ ...message, type: MessageType.installSnapshot, entries: [], snapshot }),
      encodeMessage({ ...message, type: MessageType.heartbeat, entries: [], reject: true, context: 77 }),
    ];
    const { outcomes } = await fuzz({ name: 'raft-message', corpus, seeds, judge, inputs: 10_000 });
    expect(outcomes.size).toBeGreaterThan(5);
  });

  test('configuration', async () => {
    const judge = (input: Uint8Array): string => {
      const state = decodeConfState(input);
      if (state !== undefined) expect(encodeConfState(state)).toEqual(input);
      const conf = decodeConfChange(input);
      if (conf !== undefined) expect(encodeConfChange(conf)).toEqual(input);
      return `${state ? 'a state' : ''} ${conf ? `a change of ${Math.min(conf.changes.length, 3)}` : ''}`;
    };
    const seeds = [encodeConfState(confState), encodeConfChange(change)];
    const { outcomes } = await fuzz({ name: 'configuration', corpus, seeds, judge });
    expect([...outcomes.keys()].join()).toMatch(/a state/);
  });
});
