import { PLACEMENT_BUGS, SIMULATED_BUGS } from './planted-bug';
import { parseRunArguments } from './run-arguments';
import { simulate, type SimulationOutcome } from './simulate';

/**
 * Goal: whole clusters keep their promises under any trouble. Method: real nodes over simulated machines, each run
 * from one seed (`npm run sim` runs many more); that the judges can fail is shown by mistakes planted one at a time.
 */
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const SEEDS = Number(process.env['SEEDS'] ?? 10);
const STEPS = 10_000;
/** A planted mistake shows when the right trouble meets it: within three seeds, for most of them, and 19 at most. */
const MOST_SEEDS = 100;

/**
 * Each of these has failed once, for the reason given. What is drawn in a run has changed since, so that not every
 * one still leads to where it failed.
 */
const KEPT_SEEDS: readonly { readonly seed: number; readonly steps: number; readonly why: string }[] = [
  { seed: 3, steps: 20_000, why: 'a read at a replica that moved away was never answered' },
  { seed: 6, steps: 10_000, why: 'a watch resumed at a replica that was behind was told compacted' },
  { seed: 8, steps: 20_000, why: 'the watch hub threw for a replica that was gone' },
  {
    seed: 47,
    steps: 20_000,
    why: 'removed voters forgot their log while the others still needed their votes',
  },
  { seed: 54, steps: 20_000, why: 'a member that was removed while it was away never heard of it' },
  { seed: 70, steps: 20_000, why: 'a stopping node gave up a replica on its closed log' },
  { seed: 262, steps: 20_000, why: 'a crash while a replica was given up left a node that refused to start' },
  {
    seed: 93,
    steps: 20_000,
    why: 'damage found while a segment was emptied was thrown where nobody could catch it',
  },
  {
    seed: 107,
    steps: 20_000,
    why: 'a snapshot was installed that the core would not hear of, and then again',
  },
  {
    seed: 10_193,
    steps: 20_000,
    why: 'a voter that was away refused the leader, which had joined meanwhile and was all that could tell it',
  },
  { seed: 10_489, steps: 20_000, why: 'a replica that was begun and never wanted again stayed for ever' },
  {
    seed: 20_337,
    steps: 20_000,
    why: 'a removed voter went while those that stay could still forget its removal in a crash',
  },
  { seed: 30_023, steps: 20_000, why: 'a replica that was given up still answered for what its log forgot' },
  { seed: 30_197, steps: 20_000, why: 'a member taken in again gave up the replica it had from before' },
  {
    seed: 50_104,
    steps: 20_000,
    why: 'a node could not leave, for a group that nobody used and that nobody else might hold',
  },
  {
    seed: 60_056,
    steps: 20_000,
    why: 'the log let go of entries that the core had yet to hand out, as the state was ahead of it',
  },
  {
    seed: 50_672,
    steps: 20_000,
    why: 'a learner that was left behind went on naming its leader, and so was never taken in again',
  },
  { seed: 50_784, steps: 20_000, why: 'the judge did not see what a node decided alone while it opened' },
  {
    seed: 130_236,
    steps: 20_000,
    why: 'what looks for indexes to build read the state of a replica that was given up meanwhile',
  },
  {
    seed: 51_088,
    steps: 20_000,
    why: 'the judge did not know of what a node that was just opening had sent as committed',
  },
];

function failureOf(outcome: SimulationOutcome): string | undefined {
  if (outcome.passed) return undefined;
  return `seed ${outcome.seed}: ${outcome.failure}\n${outcome.trace}`;
}

describe('the simulator', () => {
  it(`finds nothing in seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}`, async () => {
    const met = { retries: 0, leases: 0, ranOut: 0, guarded: 0, fenced: 0, queries: 0, halfBuilt: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const outcome = await simulate({ seed, steps: STEPS });
      expect(failureOf(outcome)).toBeUndefined();
      if (!outcome.passed) continue;
      const { agents, indexes } = outcome.report;
      const seen = { ...agents, ...indexes };
      for (const what of Object.keys(met) as (keyof typeof met)[]) met[what] += seen[what];
    }
    // A run in which nobody meets what it is about would find nothing either.
    if (SEEDS >= 10)
      for (const [what, count] of Object.entries(met)) expect([what, count > 0]).toEqual([what, true]);
  }, 120_000);

  it.each(KEPT_SEEDS)(
    'finds nothing any more in seed $seed: $why',
    async ({ seed, steps }) => {
      expect(failureOf(await simulate({ seed, steps }))).toBeUndefined();
    },
    60_000,
  );

  it('does the same twice from the same seed', async () => {
    const [first, second] = [
      await simulate({ seed: 9, steps: STEPS }),
      await simulate({ seed: 9, steps: STEPS }),
    ];
    expect(first).toEqual(second);
    expect(first.passed && first.report.crashes).toBeGreaterThan(0);
    const other = await simulate({ seed: 11, steps: STEPS });
    expect(other.passed && other.report.fingerprint).not.toBe(first.passed && first.report.fingerprint);
  }, 60_000);

  // Those of placements are in regional-simulation.spec.ts.
  it.each(SIMULATED_BUGS.filter((bug) => !PLACEMENT_BUGS.some((other) => other === bug)))(
    'shows the planted mistake %s',
    async (bug) => {
      let found: SimulationOutcome | undefined;
      for (let seed = 1; found?.passed !== false && seed <= MOST_SEEDS; seed++)
        found = await simulate({ seed, steps: STEPS, bug });
      expect(found?.passed).toBe(false);
      if (process.env['SHOW'] === '1' && found !== undefined) console.log(failureOf(found));
    },
    240_000,
  );

  it('reads its arguments, and refuses what makes no sense', () => {
    expect(parseRunArguments(['--seeds', '3', '--seed', '7'])).toMatchObject({
      seeds: 3,
      firstSeed: 7,
      bug: undefined,
    });
    expect(parseRunArguments(['--bug', 'voteTwice'])).toMatchObject({ seeds: 1, bug: 'voteTwice' });
    for (const args of [
      ['--seeds'],
      ['--seeds', '0'],
      ['--seeds', 'many'],
      ['--bug', 'none'],
      ['--fast', '1'],
    ]) {
      expect(parseRunArguments(args)).toBeUndefined();
    }
  });
});
