import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  NO_MEMBER,
  commitSeq,
  groupId,
  memberId,
  type LogIndex,
  type NodeName,
  type ReadRequest,
  type Term,
} from '#contracts';
import { MessageType, type ConfState, type Message } from '#raft';
import { decodeBody, encodeBody } from './cluster-bodies';
import {
  type ChangesAnswer,
  decodeChangesAnswer,
  decodeChangesQuestion,
  decodeScanAnswer,
  decodeScanQuestion,
  encodeChangesAnswer,
  encodeQuestion,
  encodeScanAnswer,
} from './history/history-bodies';
import { decodeRowAnswer, decodeRowRequest, encodeRowAnswer, encodeRowRequest } from './moves/row-request';
import { decodeBusMessage, encodeBatchMessage, encodeNewestMessage } from './history/bus-messages';
import { PeerKind } from './peers/peer-kinds';
import { RaftFrame, readRaftFrame } from './peers/raft-frame';
import {
  decodeForwardedRead,
  decodeForwardedWrite,
  decodeReadAnswer,
  encodeForwardedRead,
  encodeForwardedWrite,
  encodeReadAnswer,
} from './peers/request-bodies';
import {
  CONF_STATE_KEY,
  INSTALLED_KEY,
  decodeConfState,
  encodeConfState,
  encodeInstalled,
  readInstalled,
} from './replica-rows';
import {
  decodeChunk,
  decodeChunkRequest,
  encodeChunk,
  encodeChunkRequest,
  seal,
  unseal,
} from './snapshots/chunk';

// Goal: the bytes of FORMAT.md stay what they are, and are read. Method: one sample of each form, and a file.

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const group = groupId(0x0102_0304);
const beat = (to: number): Message => ({
  type: MessageType.heartbeat,
  from: memberId(1),
  to: memberId(to),
  term: 3 as Term,
  index: 0 as LogIndex,
  logTerm: 0 as Term,
  commit: 9 as LogIndex,
  entries: [],
  reject: false,
  rejectHint: 0 as LogIndex,
  context: 5,
  transfer: false,
});
const request: ReadRequest = { kind: 'get', ns: 'a', id: 'x' };
const read = { group, timeoutMs: 10_000, request };
const chunk = {
  transfer: 7,
  sequence: 2,
  totalRows: undefined,
  rows: [[bytes('k'), bytes('value')]] as const,
};
const conf: ConfState = {
  voters: [memberId(1), memberId(2)],
  votersOutgoing: [],
  learners: [memberId(3)],
  learnersNext: [],
  autoLeave: false,
};
const founder = {
  member: memberId(1),
  name: 'node-1' as NodeName,
  region: 'r',
  host: 'h',
  port: 7400,
  incarnation: 'ff',
};
const introduced = { name: founder.name, incarnation: 'ff', nodes: ['node-1@r', 'node-2@r'] };
const newcomer = {
  name: founder.name,
  incarnation: 'ff',
  region: 'r',
  host: 'h',
  port: 7400,
  httpUrl: 'http://h',
};
const replica = {
  group: groupId(1),
  role: 'leader' as const,
  leader: memberId(1),
  term: 3 as Term,
  commit: 9 as LogIndex,
  applied: 8 as LogIndex,
  commitSeq: commitSeq(4),
  configuration: conf,
  configurationKept: true,
  scrubbedTo: 2 as LogIndex,
  matches: [{ member: NO_MEMBER, match: 9 as LogIndex }],
};
const changesQuestion = { group, ns: 'a', from: 7, maxBytes: 1_000, waitMs: 50, seen: 6 };
const changesAnswer: ChangesAnswer = {
  position: commitSeq(9),
  firstAvailable: commitSeq(2),
  through: commitSeq(8),
  batches: [
    {
      ns: 'a',
      commitSeq: commitSeq(8),
      prevCommitSeq: commitSeq(5),
      tsMs: 1_700_000_000_000,
      events: [
        { kind: 'put' as const, id: 'ü', type: 't', tags: { k: 'v' }, object: bytes('{}') },
        { kind: 'delete' as const, reason: 'delete' as const, id: 'b', type: 't', tags: {} },
        { kind: 'delete' as const, reason: 'expired' as const, id: 'c', type: 't', tags: {} },
      ],
    },
  ],
};
const scanQuestion = { group, ns: 'a', scan: 3, page: 1, maxBytes: 1_000, filter: { prefix: 'x' } };
const scanAnswer = {
  scan: 3,
  position: commitSeq(9),
  rows: [{ id: 'x1', commitSeq: commitSeq(4), tsMs: 1_700_000_000_000, json: bytes('{}') }],
};
const place = { table: 0x10, rest: bytes('id') };
const rowRequest = {
  ...{ group, ns: 'a', generation: 3, attempt: 8, round: 2, given: 5 },
  stage: 'touched' as const,
  after: place,
};
const rowAnswer = { commitSeq: commitSeq(9), waiting: 4, given: 6, next: place, rows: bytes('rows') };
const digest = (of: Uint8Array): string => `digest of ${of.length}`;

function frame(): Uint8Array {
  const made = new RaftFrame();
  made.add(groupId(0), beat(2));
  made.add(group, beat(3));
  return Buffer.concat(made.finish());
}

const SAMPLES: readonly (readonly [name: string, encoded: Uint8Array])[] = [
  ['raft-frame', frame()],
  ['raft-frame-of-nothing', Buffer.concat(new RaftFrame().finish())],
  ['forwarded-write', encodeForwardedWrite({ group, hops: 1, timeoutMs: 10_000, command: bytes('command') })],
  ['forwarded-read', encodeForwardedRead({ ...read, consistency: { kind: 'linearizable' } })],
  ['forwarded-read-stale', encodeForwardedRead({ ...read, consistency: { kind: 'stale' } })],
  [
    'forwarded-read-from',
    encodeForwardedRead({ ...read, consistency: { kind: 'stale', minSeq: commitSeq(6) } }),
  ],
  ['read-answer', encodeReadAnswer({ commitSeq: commitSeq(6), outcome: { kind: 'absent' } })],
  ['chunk-request', encodeChunkRequest({ group, transfer: 7, sequence: 2 })],
  ['chunk', encodeChunk(chunk)],
  ['chunk-last', encodeChunk({ ...chunk, totalRows: 300 })],
  ['chunk-sealed', seal(encodeChunk(chunk), digest)],
  ['form-question', encodeBody(introduced)],
  ['form-answer', encodeBody({ ...introduced, formed: { clusterId: 'c', founders: [founder] } })],
  ['join-question', encodeBody(newcomer)],
  ['join-answer', encodeBody({ clusterId: 'c', member: memberId(4), peers: [founder] })],
  [
    'status',
    encodeBody({ member: memberId(1), region: 'eu', replicas: [replica], forgetting: false, space: 'ok' }),
  ],
  ['transfer', encodeBody({ group, to: memberId(2) })],
  ['changes-question', encodeQuestion(changesQuestion)],
  ['changes-answer', encodeChangesAnswer(changesAnswer)],
  ['scan-question', encodeQuestion(scanQuestion)],
  ['scan-answer', encodeScanAnswer(scanAnswer)],
  ['namespace-rows-first', encodeRowRequest({ ...rowRequest, after: undefined })],
  ['namespace-rows-next', encodeRowRequest(rowRequest)],
  ['namespace-rows', encodeRowAnswer(rowAnswer)],
  ['namespace-rows-last', encodeRowAnswer({ ...rowAnswer, next: undefined })],
  ['bus-batch', encodeBatchMessage(group, changesAnswer.batches[0]!)],
  ['bus-newest', encodeNewestMessage(group, 'a', commitSeq(8))],
  ['row-configuration-key', CONF_STATE_KEY],
  ['row-configuration', encodeConfState(conf)],
  ['row-installed-key', INSTALLED_KEY],
  ['row-installed', encodeInstalled(9 as LogIndex)],
];

const golden = new Map(
  readFileSync(join(__dirname, '..', 'golden', 'version-1.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]),
);
const goldenBytes = (name: string): Uint8Array => new Uint8Array(Buffer.from(golden.get(name) ?? '', 'hex'));

test('the bytes are those of the golden file', () => {
  expect(SAMPLES.map(([name, encoded]) => [name, Buffer.from(encoded).toString('hex')])).toEqual([...golden]);
});

test('the kinds are those of FORMAT.md', () => {
  const text = readFileSync(join(__dirname, '..', 'FORMAT.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) +\| `(\w+)`/gm)].map(([, number, name]) => [
    name,
    Number(number),
  ]);
  expect(rows).toEqual(Object.entries(PeerKind));
});

describe('the golden bytes are read', () => {
  test('as Raft messages of their groups', () => {
    expect([...readRaftFrame(goldenBytes('raft-frame'))]).toEqual([
      { group: 0, message: expect.objectContaining({ ...beat(2), snapshot: undefined }) as Message },
      { group, message: expect.objectContaining({ ...beat(3), snapshot: undefined }) as Message },
    ]);
    expect([...readRaftFrame(goldenBytes('raft-frame-of-nothing'))]).toEqual([]);
  });

  test('as forwarded requests', () => {
    expect(decodeForwardedWrite(goldenBytes('forwarded-write'))).toEqual({
      group,
      hops: 1,
      timeoutMs: 10_000,
      command: bytes('command'),
    });
    for (const [name, consistency] of [
      ['forwarded-read', { kind: 'linearizable' }],
      ['forwarded-read-stale', { kind: 'stale', minSeq: undefined }],
      ['forwarded-read-from', { kind: 'stale', minSeq: 6 }],
    ] as const) {
      expect(decodeForwardedRead(goldenBytes(name))).toEqual({ ...read, consistency });
    }
    expect(decodeReadAnswer(goldenBytes('read-answer'))).toEqual({
      commitSeq: 6,
      outcome: { kind: 'absent' },
    });
  });

  test('as chunks of a snapshot', () => {
    expect(decodeChunkRequest(goldenBytes('chunk-request'))).toEqual({ group, transfer: 7, sequence: 2 });
    expect(decodeChunk(goldenBytes('chunk'))).toEqual(chunk);
    expect(decodeChunk(goldenBytes('chunk-last'))).toEqual({ ...chunk, totalRows: 300 });
    expect(decodeChunk(unseal(goldenBytes('chunk-sealed'), digest))).toEqual(chunk);
  });

  test('as changes and scans', () => {
    expect(decodeChangesQuestion(goldenBytes('changes-question'))).toEqual(changesQuestion);
    expect(decodeChangesAnswer(goldenBytes('changes-answer'))).toEqual(changesAnswer);
    expect(decodeScanQuestion(goldenBytes('scan-question'))).toEqual(scanQuestion);
    expect(decodeScanAnswer(goldenBytes('scan-answer'))).toEqual(scanAnswer);
  });

  test('as rows of a namespace that moves', () => {
    expect(decodeRowRequest(goldenBytes('namespace-rows-first'))).toEqual({
      ...rowRequest,
      after: undefined,
    });
    expect(decodeRowRequest(goldenBytes('namespace-rows-next'))).toEqual(rowRequest);
    expect(decodeRowAnswer(goldenBytes('namespace-rows'))).toEqual(rowAnswer);
    expect(decodeRowAnswer(goldenBytes('namespace-rows-last'))).toEqual({ ...rowAnswer, next: undefined });
  });

  test('as messages on the bus', () => {
    expect(decodeBusMessage(goldenBytes('bus-batch'))).toEqual({
      kind: 'batch',
      group,
      batch: changesAnswer.batches[0],
    });
    expect(decodeBusMessage(goldenBytes('bus-newest'))).toEqual({
      kind: 'newest',
      group,
      ns: 'a',
      commitSeq: 8,
    });
    expect(() => decodeBusMessage(bytes('\u0002\u0001....'))).toThrow('version 2');
  });

  test('as rows of a replica', () => {
    expect(decodeConfState(goldenBytes('row-configuration'))).toEqual(conf);
    const reader = { get: () => goldenBytes('row-installed') } as never;
    expect(readInstalled(reader)).toBe(9);
  });

  test('as bodies about the cluster', () => {
    expect(decodeBody(goldenBytes('form-question'), { name: 'string', nodes: 'object' })).toEqual(introduced);
    expect(decodeBody(goldenBytes('join-question'), { port: 'number' })).toEqual(newcomer);
  });
});

describe('what no node sent is refused', () => {
  test.each([
    ['a frame cut short', () => [...readRaftFrame(goldenBytes('raft-frame').subarray(0, -1))]],
    ['a frame that promises more', () => [...readRaftFrame(new Uint8Array([0, 0, 0, 1]))]],
    ['a forwarded write cut short', () => decodeForwardedWrite(new Uint8Array(8))],
    [
      'an unknown consistency',
      () => decodeForwardedRead(goldenBytes('forwarded-read').map((byte, at) => (at === 8 ? 3 : byte))),
    ],
    [
      'a chunk with something behind it',
      () => decodeChunk(Buffer.concat([goldenBytes('chunk'), new Uint8Array(1)])),
    ],
    ['a chunk cut short', () => decodeChunk(goldenBytes('chunk').subarray(0, -1))],
    ['a changed chunk', () => unseal(goldenBytes('chunk-sealed'), () => 'another digest')],
    ['a body that is no object', () => decodeBody(bytes('1'), {})],
    ['a body that is null', () => decodeBody(bytes('null'), {})],
    ['a body without a field', () => decodeBody(bytes('{"name":"x"}'), { port: 'number' })],
    ['a body whose field has another type', () => decodeBody(bytes('{"port":"1"}'), { port: 'number' })],
    ['a body whose list is null', () => decodeBody(bytes('{"nodes":null}'), { nodes: 'object' })],
    ['a body that is not UTF-8', () => decodeBody(new Uint8Array([0x22, 0xff, 0x22]), {})],
    ['a configuration without voters', () => decodeConfState(bytes('{}'))],
  ])('%s', (_, read) => {
    expect(read).toThrow();
  });
});
