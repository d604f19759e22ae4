/**
 * Goal: whatever is proposed, the state answers as the contract says and every replica comes to the same rows.
 * Method: random histories against the plain model, split into batches at random, with crashes in between.
 */
import * as fc from 'fast-check';
import {
  compareApplied,
  compareState,
  encodeLog,
  MemoryStateStore,
  MemoryStateStores,
  replay,
  sha256,
  stateHistory,
  StateModel,
} from '#testkit';
import type { GroupId } from '#contracts';
import { stateDigest } from './state-digest';

const seed = Number(process.env['PROPERTY_SEED'] ?? 20261123);
const batchSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
const GROUP = 3 as GroupId;

describe('against the model', () => {
  it('every outcome, every change and every read is the same', () => {
    fc.assert(
      fc.property(
        stateHistory,
        batchSizes,
        fc.integer({ min: -2000, max: 4000 }),
        (history, sizes, readAfterMs) => {
          const log = encodeLog(history);
          const store = new MemoryStateStore();
          const applied = replay(store, log, sizes);
          const model = new StateModel();
          history.forEach(({ command }, index) => {
            const expected = model.apply(command, log.timesMs[index] as number);
            const actual = applied[index];
            expect(actual && compareApplied(actual, expected)).toBeUndefined();
          });
          expect(compareState(store, model, model.nowMs)).toBeUndefined();
          expect(compareState(store, model, model.nowMs + readAfterMs)).toBeUndefined();
        },
      ),
      { seed, numRuns: 300 },
    );
  }, 60_000);
});

describe('replay', () => {
  it('gives the same rows however the log is split into batches', () => {
    fc.assert(
      fc.property(stateHistory, batchSizes, (history, sizes) => {
        const log = encodeLog(history);
        const [one, other] = [new MemoryStateStore(), new MemoryStateStore()];
        replay(one, log, [1]);
        replay(other, log, sizes);
        expect(stateDigest(other, sha256)).toBe(stateDigest(one, sha256));
      }),
      { seed, numRuns: 200 },
    );
  }, 60_000);

  it('after a crash goes on from what was kept and comes to the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        stateHistory,
        batchSizes,
        fc.array(fc.tuple(fc.nat(), fc.boolean(), fc.nat()), { maxLength: 4 }),
        async (history, sizes, crashes) => {
          const log = encodeLog(history);
          const stores = new MemoryStateStores();
          let store = await stores.open(GROUP);
          for (const [end, flush, luck] of crashes) {
            replay(store, log, sizes, end % (log.entries.length + 1));
            if (flush) await store.flush();
            await stores.crash({ below: (bound) => luck % bound });
            store = await stores.open(GROUP);
          }
          replay(store, log, sizes);
          const undisturbed = new MemoryStateStore();
          replay(undisturbed, log, [7]);
          expect(stateDigest(store, sha256)).toBe(stateDigest(undisturbed, sha256));
        },
      ),
      { seed, numRuns: 100 },
    );
  }, 60_000);
});
