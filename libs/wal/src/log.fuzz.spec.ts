import { fuzz, fuzzDeadlineMs, LogModel, logStateText, randomLogCall, seededRandom, SimDisk } from '#testkit';
import { join } from 'node:path';
import { type Log, LogCorruption, LogFormatUnsupported, verifyLog } from './index';
import { openOn } from '../testing/open-on';
import { PREAMBLE_BYTES, RECORD_HEADER_BYTES, checksum, recordBytes, writeUint53 } from './record';

// Goal: whatever the bytes of a segment have become, a log opens with a prefix of what was written, or says that it is
// damaged or newer; it never fails in another way and never makes anything up. Method: one segment of a small log
// is replaced by changed bytes; the model has every state that the log went through.

jest.setTimeout(fuzzDeadlineMs());

const CORPUS = join(__dirname, '..', 'fuzz-corpus');
const SEGMENT_BYTES = 512;

interface Sample {
  readonly disk: SimDisk;
  readonly states: readonly string[];
  readonly names: readonly string[];
}

/** A twin has records of the same sizes and numbers, and other bytes in its entries. */
async function sampleOf(seed: number, closed: boolean, twin = false): Promise<Sample> {
  const disk = new SimDisk();
  const log = await openOn(disk, SEGMENT_BYTES);
  const model = new LogModel();
  const random = seededRandom(seed);
  for (let calls = 0; calls < 8; calls++) {
    const call = randomLogCall(model, random, 200);
    if (call.kind !== 'append') continue;
    if (twin) for (const { entries } of call.writes) for (const { data } of entries) data.fill(0x2a);
    model.apply(call);
    await new Promise<void>((resolve) => log.append(call.writes, resolve));
  }
  if (closed) await log.close();
  const copy = disk.copy();
  const names = copy
    .list('wal')
    .filter((name) => name.endsWith('.wal'))
    .sort();
  return { disk: copy, states: model.states, names };
}

/** What opening gives: the state, or how it was refused. */
async function recovered(disk: SimDisk): Promise<{ readonly state?: string; readonly refusal?: Error }> {
  let log: Log;
  try {
    log = await openOn(disk, SEGMENT_BYTES);
  } catch (error) {
    if (error instanceof LogCorruption || error instanceof LogFormatUnsupported) return { refusal: error };
    throw error;
  }
  const state = logStateText(log);
  await log.close();
  return { state };
}

/** Opens, and opens again: what was recovered is there for good, and the offline look says the same as the start. */
async function judged(disk: SimDisk): Promise<Awaited<ReturnType<typeof recovered>>> {
  const { damage } = verifyLog('wal', disk.copy());
  const found = await recovered(disk);
  const looksSound = damage === undefined || damage.kind === 'tornTail';
  expect([looksSound, damage]).toEqual([found.refusal === undefined, damage]);
  if (found.state !== undefined) {
    expect(verifyLog('wal', disk.copy()).damage).toBeUndefined();
    expect(await recovered(disk.copy())).toEqual(found);
  }
  return found;
}

const kindOf = (refusal: Error): string =>
  refusal instanceof LogCorruption ? refusal.reason.replace(/\d+/g, 'n') : refusal.name;

/** The records of one segment made to follow from each other again, so that what they say is met. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  let previous = 0;
  let sequence = 1;
  for (let at = PREAMBLE_BYTES; at + RECORD_HEADER_BYTES <= copy.length; sequence++) {
    const room = copy.length - at - RECORD_HEADER_BYTES;
    const payloadBytes = Math.min(view.getUint32(at + 4, true), room & ~7);
    view.setUint32(at + 4, payloadBytes, true);
    view.setUint32(at + 8, previous, true);
    view.setUint16(at + 14, 0, true);
    view.setUint32(at + 20, 0, true);
    writeUint53(view, at + 24, sequence);
    const end = at + recordBytes(payloadBytes);
    copy.fill(0, at + RECORD_HEADER_BYTES + payloadBytes, end);
    previous = checksum(copy.subarray(at + 4, end));
    view.setUint32(at, previous, true);
    at = end;
  }
  return copy;
}

describe('fuzz', () => {
  test('wal', async () => {
    const samples = [await sampleOf(1, true), await sampleOf(2, false), await sampleOf(3, true)];
    /** `sample, segment, bytes of the segment`: a segment without bytes is not there at all. */
    const judge = async (input: Uint8Array): Promise<string> => {
      const sample = samples[(input[0] ?? 0) % samples.length] as Sample;
      const name = sample.names[(input[1] ?? 0) % sample.names.length] as string;
      const disk = sample.disk.copy();
      disk.automatic = true;
      if (input.length > 2) disk.place(`wal/${name}`, input.subarray(2));
      else await new Promise((resolve) => disk.remove(`wal/${name}`, resolve));
      const { state, refusal } = await judged(disk);
      if (state === undefined) return kindOf(refusal as Error);
      const at = sample.states.lastIndexOf(state);
      if (at < 0) throw new Error(`this was never written: ${state}`);
      return at === sample.states.length - 1 ? 'all of it' : 'a prefix';
    };
    const seeds = samples.flatMap(({ disk, names }, sample) =>
      names.map((name, segment) => new Uint8Array([sample, segment, ...disk.contents(`wal/${name}`)])),
    );
    const twin = await sampleOf(1, true, true);
    seeds.push(
      ...twin.names.map((name, at) => new Uint8Array([0, at, ...twin.disk.contents(`wal/${name}`)])),
    );
    const { outcomes } = await fuzz({ name: 'wal', corpus: CORPUS, seeds, judge, inputs: 1_000 });
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['all of it', 'a prefix']));
    expect(outcomes.size).toBeGreaterThan(5);
  });

  test('wal-records', async () => {
    const name = '0000000000000001.wal';
    const judge = async (input: Uint8Array): Promise<string> => {
      const disk = new SimDisk();
      disk.place(`wal/${name}`, resealed(input));
      const { state, refusal } = await judged(disk);
      if (state === undefined) return kindOf(refusal as Error);
      return `${Math.min(state.split('\n').length, 3)} groups`;
    };
    const seeds = await Promise.all(
      [4, 5, 6].map(async (seed) => {
        const { disk, names } = await sampleOf(seed, true);
        return disk.contents(`wal/${names[0] as string}`);
      }),
    );
    const { outcomes } = await fuzz({ name: 'wal-records', corpus: CORPUS, seeds, judge, inputs: 1_000 });
    expect([...outcomes.keys()].join()).toMatch(/groups/);
    expect([...outcomes.keys()].join()).toMatch(/contradicts/);
  });
});
