import type { SimulatedBug } from './planted-bug';
import { simulate } from './simulate';

/** What a worker process is told, and what it answers. */
export interface SeedTask {
  readonly seed: number;
  readonly steps: number;
  readonly bug: SimulatedBug | undefined;
}

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly undecided: boolean;
  readonly failure: string | undefined;
  /** The last events before the failure. */
  readonly trace: string;
}

process.on('message', ({ seed, steps, bug }: SeedTask) => {
  void simulate({ seed, steps, bug }).then((outcome) => {
    const result: SeedResult = outcome.passed
      ? {
          seed,
          steps: outcome.report.steps,
          undecided: outcome.report.history === 'unknown',
          failure: undefined,
          trace: '',
        }
      : { seed, steps: outcome.steps, undecided: false, failure: outcome.failure, trace: outcome.trace };
    process.send?.(result);
  });
});
