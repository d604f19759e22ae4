import * as fc from 'fast-check';
import { EntryKind, type CommitSeq, type GroupId, type LogEntry, type LogIndex, type Term } from '#contracts';
import { beginAlone, rollForward } from '#replication';
import { readApplied, rowsOfPiece } from '#state-machine';
import {
  MemoryStateStore,
  SimDisk,
  StateModel,
  compareState,
  encodeLog,
  replay,
  sha256,
  stateHistory,
} from '#testkit';
import { FOLDER, openOn, take } from '../testing/sample';
import { partName } from './archive';
import { readPart } from './read-part';

const seed = Number(process.env['PROPERTY_SEED'] ?? 20261123);
const GROUP = 0 as GroupId;

/**
 * Goal: a restore to any position is the state as it was there. Method: random histories, a snapshot taken at a
 * random entry and read back from its file, the rest of the log up to a random position; the plain model says what
 * is right.
 */
it('comes to the state of the model at each of 100 random positions', async () => {
  const random = fc.tuple(stateHistory, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat());
  await fc.assert(
    fc.asyncProperty(random, async ([history, share, pick]) => {
      const log = encodeLog(history);
      const at = Math.floor(share * history.length);
      const before = new MemoryStateStore();
      replay(before, log, [3], at);
      const disk = new SimDisk();
      disk.automatic = true;
      const { parts } = await take(await openOn(disk), 'snap-1', [before]);
      const restored = new MemoryStateStore();
      await readPart({
        disk,
        path: `${FOLDER}/${partName('snap-1', GROUP)}`,
        digest: sha256,
        onPiece: (bytes) => restored.write({ puts: [...rowsOfPiece(bytes)], deletes: [] }),
      });
      const end = new MemoryStateStore();
      replay(end, log, [5]);
      const from = parts[0]?.commitSeq ?? 0;
      const seq = (from + (pick % (readApplied(end).commitSeq - from + 1))) as CommitSeq;
      const entries = log.entries.slice(at).map((data, offset): LogEntry => ({
        index: (at + offset + 1) as LogIndex,
        term: 1 as Term,
        kind: EntryKind.normal,
        data,
      }));
      const rolled = await rollForward({
        store: restored,
        digest: sha256,
        entries,
        target: { kind: 'seq', seq },
      });
      expect(rolled.commitSeq).toBe(seq);
      const model = new StateModel();
      history.slice(0, rolled.index).forEach(({ command }, index) => {
        model.apply(command, log.timesMs[index] as number);
      });
      expect(compareState(restored, model, model.nowMs)).toBeUndefined();
      // And it goes on where nobody has been.
      const last = readApplied(end).commitSeq;
      expect(beginAlone(restored, GROUP, { member: 1 as never, lastSeq: last }).commitSeq).toBe(last + 1);
      expect(readApplied(restored).historyFloor).toBe(last + 2);
    }),
    { seed, numRuns: 100 },
  );
}, 60_000);
