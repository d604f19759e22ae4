import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzz, type FuzzTarget } from './fuzz';

// Goal: the fuzzer finds a mistake in a parser, tells how to keep it, and tries what is kept first.
// Method: a toy parser with a mistake in a corner that bytes at random do not reach.

let corpus: string;
beforeEach(() => (corpus = mkdtempSync(join(tmpdir(), 'fuzz-'))));
afterEach(() => rmSync(corpus, { recursive: true, force: true }));

/** `length u8, body`: with a mistake for bodies of 255 bytes whose first is an `x`. */
function parseToy(input: Uint8Array): string {
  const [length, first] = input;
  if (length === undefined) return 'empty';
  if (length === 255 && first === 0x78) throw new Error('the planted mistake');
  return length === 255 ? 'longest' : 'other';
}

const toy = (judge: FuzzTarget['judge'] = parseToy): FuzzTarget => ({
  name: 'toy',
  corpus,
  seeds: [new Uint8Array([3, 0x78, 0x79, 0x7a])],
  inputs: 20_000,
  judge,
});

test('a mistake behind a length field is found, shrunk and told with its seed and place', async () => {
  const finding = fuzz(toy());
  await expect(finding).rejects.toThrow('the planted mistake');
  await expect(finding).rejects.toThrow(/^fuzz toy \(seed \d+, round \d+\)/);
  await expect(finding).rejects.toThrow(
    /shrunk input:\nff78[0-9a-f]*\nkeep it as .*toy\/<what it shows>\.hex/,
  );
});

test('what is kept is tried first', async () => {
  mkdirSync(join(corpus, 'toy'));
  writeFileSync(join(corpus, 'toy', 'longest.hex'), '# the longest body\nff 78\n');
  const seen: string[] = [];
  const finding = fuzz(
    toy((input) => {
      seen.push(Buffer.from(input).toString('hex'));
      return parseToy(input);
    }),
  );
  await expect(finding).rejects.toThrow('longest.hex of the corpus breaks a rule');
  expect(seen).toEqual(['ff78']);
});

test('the same seed tries the same inputs, and a new outcome is a place to go on from', async () => {
  const inputsOf = async (): Promise<string[]> => {
    const seen: string[] = [];
    // Bytes that must come one after the other: each is an outcome, so each is found from the one before.
    const steps = (input: Uint8Array): string => {
      seen.push(Buffer.from(input).toString('hex'));
      const wanted = [0x80, 0xff];
      const right = wanted.findIndex((byte, place) => input[place] !== byte);
      return `${right < 0 ? wanted.length : right} right`;
    };
    const { outcomes } = await fuzz(toy(steps));
    expect([...outcomes.keys()].sort()).toEqual(['0 right', '1 right', '2 right']);
    return seen;
  };
  const first = await inputsOf();
  expect(first.length).toBeGreaterThanOrEqual(20_000);
  expect(await inputsOf()).toEqual(first);
});

test('a corpus that is no hex, and a target with nothing to begin from, are mistakes', async () => {
  await expect(fuzz({ ...toy(), seeds: [] })).rejects.toThrow('nothing to begin from');
  mkdirSync(join(corpus, 'toy'));
  writeFileSync(join(corpus, 'toy', 'odd.hex'), 'f');
  await expect(fuzz(toy())).rejects.toThrow('is not hex');
});
