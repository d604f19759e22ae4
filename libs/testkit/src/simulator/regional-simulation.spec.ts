import { PLACEMENT_BUGS } from './planted-bug';
import { simulate, type SimulationOutcome } from './simulate';

/**
 * Goal: what is pinned stays in its regions, and what moves loses nothing, under any trouble. Method: clusters over
 * three regions, an operator who moves namespaces while clients use them, and a rule that looks at every byte that
 * passes; each run from one seed.
 */
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const SEEDS = Number(process.env['SEEDS'] ?? 6);
const STEPS = Number(process.env['STEPS'] ?? 15_000);
const MOST_SEEDS = 100;

function failureOf(outcome: SimulationOutcome): string | undefined {
  if (outcome.passed) return undefined;
  return `seed ${outcome.seed}: ${outcome.failure}\n${outcome.trace}`;
}

it(`finds nothing in seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}, with regions`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    expect(failureOf(await simulate({ seed, steps: STEPS, regional: true }))).toBeUndefined();
  }
}, 300_000);

it.each(PLACEMENT_BUGS)(
  'shows the planted mistake %s',
  async (bug) => {
    let found: SimulationOutcome | undefined;
    for (let seed = 1; found?.passed !== false && seed <= MOST_SEEDS; seed++)
      found = await simulate({ seed, steps: STEPS, bug });
    expect(found?.passed).toBe(false);
    if (process.env['SHOW'] === '1' && found !== undefined) console.log(failureOf(found));
  },
  300_000,
);
