import * as fc from 'fast-check';
import type { StateStore } from '#replication';
import { allFieldIndexes, stateDigest } from '#state-machine';
import { compareFieldRows } from './field-row-check';
import { MemoryStateStore } from './memory-state-store';
import { compareApplied, compareQuery, compareState } from './state-checks';
import { indexedHistory, STATE_NAMESPACES, stateHistory, stateQuery } from './state-commands';
import { type ModelObject, StateModel } from './state-model';
import { encodeLog, replay, sha256 } from './state-replay';

/** How a test opens the kind of store over which the state machine is checked. */
export interface StateMachineHost {
  /** A new, empty store. */
  create(): Promise<StateStore>;
  /** The node dies: what is opened again holds some first part of what was written, and all up to the last flush. */
  crash(store: StateStore, luck: number): Promise<StateStore>;
}

export interface StateMachineRuns {
  /** Random histories of each rule: a store on disk takes longer than one in memory. */
  readonly runs: number;
}

const batchSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
const crashes = fc.array(fc.tuple(fc.nat(), fc.boolean(), fc.nat()), { maxLength: 4 });
const TIMEOUT_MS = 120_000;

/**
 * The rules of the state machine, the same over every store: it answers as the plain model does, and comes to the same
 * rows however a log is split and whatever a crash takes away.
 */
export function describeStateMachine(name: string, host: StateMachineHost, { runs }: StateMachineRuns): void {
  const seed = Number(process.env['PROPERTY_SEED'] ?? 20261123);

  describe(`the state machine over ${name}`, () => {
    const withStore = async (work: (store: StateStore) => void | Promise<void>): Promise<void> => {
      const store = await host.create();
      try {
        await work(store);
      } finally {
        await store.close();
      }
    };

    it(
      'answers every command, change and read as the model does',
      async () => {
        const readAfterMs = fc.integer({ min: -2000, max: 4000 });
        await fc.assert(
          fc.asyncProperty(stateHistory, batchSizes, readAfterMs, (history, sizes, laterMs) =>
            withStore((store) => {
              const log = encodeLog(history);
              const applied = replay(store, log, sizes);
              const model = new StateModel();
              history.forEach(({ command }, index) => {
                const expected = model.apply(command, log.timesMs[index] as number);
                const actual = applied[index];
                expect(actual && compareApplied(actual, expected)).toBeUndefined();
              });
              expect(compareState(store, model, model.nowMs)).toBeUndefined();
              expect(compareState(store, model, model.nowMs + laterMs)).toBeUndefined();
              expect(compareFieldRows(store, objectsOf(model))).toBeUndefined();
            }),
          ),
          { seed, numRuns: runs },
        );
      },
      TIMEOUT_MS,
    );

    it(
      'finds by indexes what it finds without, before, while and after they are built',
      async () => {
        const asked = fc.array(fc.tuple(fc.nat(), stateQuery), { minLength: 10, maxLength: 40, size: 'max' });
        await fc.assert(
          fc.asyncProperty(indexedHistory, batchSizes, asked, (history, sizes, questions) =>
            withStore((store) => {
              const log = encodeLog(history);
              const bare = encodeLog(
                history.map(({ command, advanceMs }) => ({
                  command: command.kind === 'indexes' ? { ...command, paths: [] } : command,
                  advanceMs,
                })),
              );
              const without = new MemoryStateStore();
              const model = new StateModel();
              let applied = 0;
              const ends = questions.map(([at]) => at % (log.entries.length + 1));
              for (const [at, end] of ends.sort((left, right) => left - right).entries()) {
                replay(store, log, sizes, end);
                replay(without, bare, [1], end);
                for (; applied < end; applied++)
                  model.apply(history[applied]?.command ?? NOTHING, log.timesMs[applied] as number);
                const query = (questions[at] as (typeof questions)[number])[1];
                expect(compareFieldRows(store, objectsOf(model))).toBeUndefined();
                expect(compareQuery(store, model, query, model.nowMs)).toBeUndefined();
                expect(compareQuery(without, model, query, model.nowMs)).toBeUndefined();
              }
            }),
          ),
          { seed, numRuns: runs },
        );
      },
      TIMEOUT_MS,
    );

    it(
      'gives the same rows however the log is split into batches',
      async () => {
        await fc.assert(
          fc.asyncProperty(stateHistory, batchSizes, (history, sizes) =>
            withStore((store) => {
              const log = encodeLog(history);
              const one = new MemoryStateStore();
              replay(one, log, [1]);
              replay(store, log, sizes);
              expect(stateDigest(store, sha256)).toBe(stateDigest(one, sha256));
            }),
          ),
          { seed, numRuns: runs },
        );
      },
      TIMEOUT_MS,
    );

    it(
      'after a crash goes on from what was kept, in the middle of a build too, and comes to the same rows',
      async () => {
        await fc.assert(
          fc.asyncProperty(stateHistory, batchSizes, crashes, async (history, sizes, deaths) => {
            const log = encodeLog(history);
            let store = await host.create();
            try {
              for (const [end, flush, luck] of deaths) {
                replay(store, log, sizes, end % (log.entries.length + 1));
                if (flush) await store.flush();
                store = await host.crash(store, luck);
              }
              replay(store, log, sizes);
              const undisturbed = new MemoryStateStore();
              replay(undisturbed, log, [7]);
              expect(stateDigest(store, sha256)).toBe(stateDigest(undisturbed, sha256));
            } finally {
              await store.close();
            }
          }),
          { seed, numRuns: Math.ceil(runs / 3) },
        );
      },
      TIMEOUT_MS,
    );

    it(
      'completes what it builds and leaves nothing of what it takes away',
      async () => {
        await fc.assert(
          fc.asyncProperty(stateHistory, (history) =>
            withStore((store) => {
              const steps = [STATE_NAMESPACES[0], STATE_NAMESPACES[1]].flatMap((ns) =>
                Array.from({ length: 200 }, () => ({
                  command: { kind: 'build', ns, limit: 1, limitBytes: 1 } as const,
                  advanceMs: 0,
                })),
              );
              const whole = [...history, ...steps];
              const log = encodeLog(whole);
              replay(store, log, [5]);
              const states = [...allFieldIndexes(store).values()].flat().map(({ state }) => state);
              expect(states.filter((state) => state !== 'ready')).toEqual([]);
              const model = new StateModel();
              whole.forEach(({ command }, index) => model.apply(command, log.timesMs[index] as number));
              expect(compareFieldRows(store, objectsOf(model))).toBeUndefined();
            }),
          ),
          { seed, numRuns: Math.ceil(runs / 3) },
        );
      },
      TIMEOUT_MS,
    );
  });
}

const NOTHING = { kind: 'expire', limit: 0 } as const;

function objectsOf(model: StateModel): ReadonlyMap<string, readonly ModelObject[]> {
  return new Map(STATE_NAMESPACES.map((ns) => [ns, model.list(ns, 0)]));
}
