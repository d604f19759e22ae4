import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { StateError, memberId, type NodeName } from '#contracts';

import { FrameType, PREAMBLE, PROTOCOL_VERSION, encodeFrame } from './frame';
import { FrameParser } from './frame-parser';
import { encodeHello, encodeRefusal, proofOf } from './hello';
import { encodeError } from './remote-error';

// Goal: the bytes of FORMAT.md stay what they are. Method: every kind of frame, compared with a file.

const head = (
  type: number,
  kind = 0,
  correlation = 0,
): { type: number; kind: number; correlation: number } => ({
  type,
  kind,
  correlation,
});
const nonce = (first: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => first + index);
const versions = { min: 1, max: 1 };
const dialer = encodeHello(
  {
    channel: 'messages',
    clusterId: 'golden-cluster',
    memberId: memberId(0x1_0000_0002),
    incarnation: '000102030405060708090a0b0c0d0e0f',
    name: 'node-1' as NodeName,
    region: 'eu-west-1',
  },
  versions,
  nonce(0),
);
const joiner = encodeHello(
  {
    channel: 'single',
    clusterId: undefined,
    memberId: memberId(0),
    incarnation: 'ff'.repeat(16),
    name: 'nœud' as NodeName,
    region: '',
  },
  versions,
  nonce(100),
);
const transcript = { dialer, acceptor: joiner, channelBinding: new Uint8Array(0) };
const error = new StateError('compacted', 'gone', { first_available: 7 });

const SAMPLES: readonly (readonly [string, Buffer])[] = [
  ['preamble', PREAMBLE],
  ['hello-of-a-member', encodeFrame(head(FrameType.hello), dialer)],
  ['hello-of-a-joiner', encodeFrame(head(FrameType.hello), joiner)],
  ['proof-of-the-dialer', encodeFrame(head(FrameType.proof), proofOf('dialer', 'golden secret', transcript))],
  [
    'proof-of-the-acceptor',
    encodeFrame(head(FrameType.proof), proofOf('acceptor', 'golden secret', transcript)),
  ],
  ['refusal', encodeFrame(head(FrameType.refusal), encodeRefusal('version', 'too old'))],
  ['message', encodeFrame(head(FrameType.message, 0x1234), Buffer.from('a message'))],
  ['message-without-body', encodeFrame(head(FrameType.message, 1), Buffer.alloc(0))],
  ['request', encodeFrame(head(FrameType.request, 2, 0xffff_fffe), Buffer.from('a request'))],
  ['answer', encodeFrame(head(FrameType.answer, 0, 0xffff_fffe), Buffer.from('an answer'))],
  ['error', encodeFrame(head(FrameType.error, 0, 5), encodeError(error))],
  ['ping', encodeFrame(head(FrameType.ping, 0, 9), Buffer.alloc(0))],
  ['pong', encodeFrame(head(FrameType.pong, 0, 9), Buffer.alloc(0))],
];

const golden = readFileSync(join(__dirname, '..', 'golden', `version-${PROTOCOL_VERSION}.txt`), 'utf8');

describe('format', () => {
  test('the bytes are those of the golden file', () => {
    expect(SAMPLES.map(([name, bytes]) => `${name} ${bytes.toString('hex')}\n`).join('')).toBe(golden);
  });

  test('the golden frames are read', () => {
    const lines = golden
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]);
    for (const [name, hex] of lines.slice(1)) {
      let seen = 0;
      const parser = new FrameParser(4_096, () => seen++);
      expect([name, parser.push(Buffer.from(hex, 'hex')), seen]).toEqual([name, undefined, 1]);
    }
  });
});
