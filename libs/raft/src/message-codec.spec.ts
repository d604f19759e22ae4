import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EntryKind, type LogIndex, type MemberId, type Term } from '#contracts';
import * as fc from 'fast-check';
import { decodeConfChange, encodeConfChange } from './conf-change-codec';
import { decodeConfState, encodeConfState } from './conf-state-codec';
import { newMessage } from './message';
import { decodeMessage, encodeMessage, encodeMessageInto, messageBytes } from './message-codec';
import { type ConfChange, type ConfState, type Message, MessageType } from './types';

/**
 * Goal: the bytes are those of FORMAT.md, today and tomorrow, and no bytes of a stranger do harm. Method: golden
 * files, round trips of random messages, and every truncation and many changed bytes of a real one.
 */

const index = (value: number): LogIndex => value as LogIndex;
const members = (...ids: number[]): MemberId[] => ids as MemberId[];
const CONF_STATE: ConfState = {
  voters: members(1, 2, 3),
  votersOutgoing: members(1, 2, 4),
  learners: members(5),
  learnersNext: members(4),
  autoLeave: true,
};
const CONF_CHANGE: ConfChange = {
  changes: [
    { kind: 'addVoter', member: 3 as MemberId },
    { kind: 'addLearner', member: 4 as MemberId },
    { kind: 'remove', member: (2 ** 40) as MemberId },
  ],
  transition: 'jointExplicit',
  context: new TextEncoder().encode('host'),
};

function append(): Message {
  const message = newMessage(MessageType.append, 1 as MemberId, 2 as MemberId, 7 as Term);
  message.index = index(2 ** 33);
  message.logTerm = 6 as Term;
  message.commit = index(2 ** 53 - 1);
  message.entries = [
    { term: 6 as Term, index: index(2 ** 33 + 1), kind: EntryKind.normal, data: new Uint8Array([1, 2, 3]) },
    {
      term: 7 as Term,
      index: index(2 ** 33 + 2),
      kind: EntryKind.confChange,
      data: encodeConfChange(CONF_CHANGE),
    },
    { term: 7 as Term, index: index(2 ** 33 + 3), kind: EntryKind.normal, data: new Uint8Array(0) },
  ];
  return message;
}

function refusal(): Message {
  const message = newMessage(MessageType.appendResponse, 2 as MemberId, 1 as MemberId, 7 as Term);
  message.index = index(12);
  message.logTerm = 5 as Term;
  message.reject = true;
  message.rejectHint = index(9);
  return message;
}

function install(): Message {
  const message = newMessage(MessageType.installSnapshot, 1 as MemberId, 5 as MemberId, 7 as Term);
  message.snapshot = { index: index(100), term: 6 as Term, confState: CONF_STATE };
  return message;
}

function voteForTransfer(): Message {
  const message = newMessage(MessageType.requestVote, 3 as MemberId, 1 as MemberId, 8 as Term);
  message.index = index(12);
  message.logTerm = 7 as Term;
  message.context = 41;
  message.transfer = true;
  return message;
}

const GOLDEN: readonly {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
  readonly value: unknown;
}[] = [
  { name: 'message-append', bytes: () => encodeMessage(append()), read: decodeMessage, value: append() },
  {
    name: 'message-append-refused',
    bytes: () => encodeMessage(refusal()),
    read: decodeMessage,
    value: refusal(),
  },
  {
    name: 'message-install-snapshot',
    bytes: () => encodeMessage(install()),
    read: decodeMessage,
    value: install(),
  },
  {
    name: 'message-request-vote',
    bytes: () => encodeMessage(voteForTransfer()),
    read: decodeMessage,
    value: voteForTransfer(),
  },
  {
    name: 'conf-change',
    bytes: () => encodeConfChange(CONF_CHANGE),
    read: decodeConfChange,
    value: CONF_CHANGE,
  },
  { name: 'conf-state', bytes: () => encodeConfState(CONF_STATE), read: decodeConfState, value: CONF_STATE },
];

describe('golden files', () => {
  it.each(GOLDEN)('$name', ({ name, bytes, read, value }) => {
    const path = join(__dirname, '../fixtures', `${name}.v1.hex`);
    const hex = Buffer.from(bytes()).toString('hex').replace(/.{32}/g, '$&\n');
    if (process.env['REWRITE'] === '1') writeFileSync(path, `${hex.trimEnd()}\n`);
    const golden = readFileSync(path, 'utf8');
    expect(`${hex.trimEnd()}\n`).toBe(golden);
    expect(read(new Uint8Array(Buffer.from(golden.replace(/\s/g, ''), 'hex')))).toEqual(value);
  });
});

describe('messages as bytes', () => {
  const whole = fc.integer({ min: 0, max: 2 ** 40 });
  const entry = fc.record({
    term: whole,
    kind: fc.constantFrom(EntryKind.normal, EntryKind.confChange),
    data: fc.uint8Array({ maxLength: 40 }),
  });
  const anyMessage = fc.record({
    type: fc.constantFrom(...Object.values(MessageType)),
    from: whole,
    to: whole,
    term: whole,
    index: whole,
    logTerm: whole,
    commit: whole,
    entries: fc.array(entry, { maxLength: 4 }),
    reject: fc.boolean(),
    rejectHint: whole,
    snapshot: fc.option(fc.constant({ index: 9, term: 3, confState: CONF_STATE }), { nil: undefined }),
    context: whole,
    transfer: fc.boolean(),
  });
  const seed = Number(process.env['SEED'] ?? 20260703);

  it('come back as they were, from within a larger frame as well', () => {
    fc.assert(
      fc.property(anyMessage, (drawn) => {
        const entries = drawn.entries.map((one, position) => ({ ...one, index: drawn.index + 1 + position }));
        const message = { ...drawn, entries } as unknown as Message;
        expect(decodeMessage(encodeMessage(message))).toEqual(message);
        const size = messageBytes(message);
        const frame = new Uint8Array(size + 20).fill(0xee);
        expect(encodeMessageInto(message, frame, 7)).toBe(7 + size);
        expect(decodeMessage(frame.subarray(7, 7 + size))).toEqual(message);
        expect([...frame.subarray(0, 7), ...frame.subarray(7 + size)].every((byte) => byte === 0xee)).toBe(
          true,
        );
      }),
      { seed, numRuns: 300 },
    );
  });

  it('share the data of entries with the bytes that they were read from', () => {
    const bytes = encodeMessage(append());
    expect(decodeMessage(bytes)?.entries[0]?.data.buffer).toBe(bytes.buffer);
  });

  it('are refused when a byte is missing or left over', () => {
    for (const message of [append(), install()]) {
      const bytes = encodeMessage(message);
      for (let length = 0; length < bytes.byteLength; length += 1)
        expect(decodeMessage(bytes.subarray(0, length))).toBeUndefined();
      expect(decodeMessage(new Uint8Array([...bytes, 0]))).toBeUndefined();
    }
  });

  it('are read or refused, but never throw, whatever a byte is changed to', () => {
    for (const message of [append(), install()]) {
      const bytes = encodeMessage(message);
      for (let at = 0; at < bytes.byteLength; at += 1)
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const changed = bytes.slice();
          changed[at] = value;
          expect(() => decodeMessage(changed)).not.toThrow();
        }
    }
  });

  it('of another version, of an unknown type or with an unknown flag are refused', () => {
    for (const [at, value] of [
      [0, 2],
      [1, 99],
      [2, 0x80],
      [3, 1],
    ] as const) {
      const bytes = encodeMessage(refusal());
      bytes[at] = value;
      expect(decodeMessage(bytes)).toBeUndefined();
    }
  });

  it('with entries out of order are a mistake of the caller', () => {
    const message = { ...append(), index: index(4) };
    expect(() => encodeMessage(message)).toThrow('where 5 was to follow');
  });
});

describe('conf changes as bytes', () => {
  it('are refused when cut off, of another version, or of an unknown kind', () => {
    const bytes = encodeConfChange(CONF_CHANGE);
    const end = bytes.byteLength - CONF_CHANGE.context.byteLength;
    for (let length = 0; length < end; length += 1)
      expect(decodeConfChange(bytes.subarray(0, length))).toBeUndefined();
    for (const [at, value] of [
      [0, 2],
      [1, 3],
      [4, 0],
      [4, 4],
    ] as const) {
      const changed = bytes.slice();
      changed[at] = value;
      expect(decodeConfChange(changed)).toBeUndefined();
    }
  });

  it('without changes leave a joint configuration', () => {
    const leave: ConfChange = { changes: [], transition: 'auto', context: new Uint8Array(0) };
    expect(decodeConfChange(encodeConfChange(leave))).toEqual(leave);
  });
});
