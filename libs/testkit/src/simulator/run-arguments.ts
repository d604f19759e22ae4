import { SIMULATED_BUGS, type SimulatedBug } from './planted-bug';

export interface RunArguments {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly steps: number;
  readonly bug: SimulatedBug | undefined;
}

const STEPS_DEFAULT = 20_000;

export const USAGE = `usage: npm run sim -- [--seeds N] [--seed S] [--steps K] [--bug NAME]

  --seeds N   how many seeds to run, 1 by default
  --seed S    the first of them, 1 by default
  --steps K   events of each run, ${STEPS_DEFAULT} by default
  --bug NAME  a mistake to plant, to see it found: ${SIMULATED_BUGS.join(', ')}
`;

/** `undefined` for arguments that make no sense. */
export function parseRunArguments(args: readonly string[]): RunArguments | undefined {
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const [name, value] = [args[at], args[at + 1]];
    if (name === undefined || value === undefined || !/^--(seeds|seed|steps|bug)$/.test(name))
      return undefined;
    values.set(name, value);
  }
  const number = (name: string, preset: number): number => Number(values.get(name) ?? preset);
  const [seeds, firstSeed, steps] = [
    number('--seeds', 1),
    number('--seed', 1),
    number('--steps', STEPS_DEFAULT),
  ];
  const bug = SIMULATED_BUGS.find((known) => known === values.get('--bug'));
  const isSound = [seeds, firstSeed, steps].every((value) => Number.isSafeInteger(value) && value >= 1);
  if (!isSound || (values.has('--bug') && bug === undefined)) return undefined;
  return { seeds, firstSeed, steps, bug };
}
