import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitSeq, type Command } from '#contracts';
import { fuzz, fuzzDeadlineMs } from '#testkit';
import * as codec from './index';

// Goal: bytes that nobody wrote are refused with a CodecError, and what is read means the same when it is written
// again. Method: changed golden commands and messages.

jest.setTimeout(fuzzDeadlineMs());

const CORPUS = join(__dirname, '..', 'fuzz-corpus');
const { CodecError } = codec;

/** What reading gives; `undefined` where it is refused as it should be. */
function read<Value>(reading: () => Value): Value | undefined {
  try {
    return reading();
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

const commands = JSON.parse(
  readFileSync(join(__dirname, '../fixtures/commands-v1.json'), 'utf8'),
) as readonly { readonly hex: string }[];

const json = codec.encodeUtf8('{"id":"a"}');
const MESSAGES: readonly Uint8Array[] = [
  codec.encodeOutcome({
    kind: 'done',
    commitSeq: commitSeq(7),
    results: [{ kind: 'object', json }, { kind: 'deleted' }],
  }),
  codec.encodeReadRequest({ kind: 'get', ns: 'agent://demo', id: 'ü' }),
  codec.encodeReadOutcome({ kind: 'object', commitSeq: commitSeq(9), json }),
  codec.encodeReadOutcome({ kind: 'page', objects: [json, json], nextCursor: 'x' }),
  codec.encodeChangeBatches([
    {
      ns: 'agent://demo',
      commitSeq: commitSeq(8),
      prevCommitSeq: commitSeq(5),
      tsMs: 1_700_000_000_000,
      events: [
        { kind: 'put', id: 'a', type: 't', tags: { k: 'v' }, object: json },
        { kind: 'delete', reason: 'expired', id: 'b', type: 't', tags: {} },
      ],
    },
  ]),
  codec.encodeScannedObjects([{ id: 'a', commitSeq: commitSeq(4), tsMs: 1, json }]),
];
const JSON_WORDS = ['{', '}', '[', ']', ',', ':', 'null', '-1', '1e999', '"', '{}', '[]', '"kind":'].map(
  codec.encodeUtf8,
);

describe('fuzz', () => {
  test('command', async () => {
    const judge = (input: Uint8Array): string => {
      const view = read(() => codec.viewCommand(input));
      read(() => codec.commandNamespace(input));
      read(() => codec.commandTime(input));
      const decoded = read(() => codec.decodeCommand(input));
      if (decoded === undefined)
        return view === undefined ? 'refused' : `${view.kind} with texts that are none`;
      expect(view?.kind).toBe(decoded.command.kind);
      // A namespace is ASCII when it comes in, and the encoder counts on it.
      const { ns = '' } = decoded.command as Command & { ns?: string };
      if (/[^ -~]/.test(ns)) return `${decoded.command.kind} of a namespace that is none`;
      const again = codec.encodeCommand(decoded.command, decoded.tsMs);
      expect(codec.decodeCommand(again)).toEqual(decoded);
      return decoded.command.kind;
    };
    const seeds = commands.map(({ hex }) => new Uint8Array(Buffer.from(hex, 'hex')));
    const { outcomes } = await fuzz({ name: 'command', corpus: CORPUS, seeds, judge });
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['refused', 'write', 'lease', 'snapshot']));
  });

  test('message-form', async () => {
    const decoders = {
      outcome: codec.decodeOutcome,
      readRequest: codec.decodeReadRequest,
      readOutcome: codec.decodeReadOutcome,
      changeBatches: codec.decodeChangeBatches,
      scannedObjects: codec.decodeScannedObjects,
    };
    const judge = (input: Uint8Array): string =>
      Object.entries(decoders)
        .filter(([, decode]) => read(() => decode(input)) !== undefined)
        .map(([name]) => name)
        .join(' ') || 'refused';
    const { outcomes } = await fuzz({
      name: 'message-form',
      corpus: CORPUS,
      seeds: MESSAGES,
      words: JSON_WORDS,
      judge,
    });
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['refused', 'changeBatches', 'outcome']));
  });
});
