import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseRunArguments, USAGE, type RunArguments } from './run-arguments';
import type { SeedResult, SeedTask } from './worker';

const MOST_WORKERS = 2;
const PROGRESS_EVERY_MS = 10_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs seeds one after the other in worker processes; resolves to the exit code: 0 when all passed, 1 otherwise. */
function runSeeds({ seeds, firstSeed, steps, bug }: RunArguments): Promise<number> {
  const startedMs = Date.now();
  const count = Math.min(MOST_WORKERS, availableParallelism(), seeds);
  let nextSeed = firstSeed;
  let totalSteps = 0;
  const failed: number[] = [];
  let passed = 0;
  let undecided = 0;
  const seconds = (): string => ((Date.now() - startedMs) / 1000).toFixed(0);
  const progress = setInterval(() => {
    say(`  .. ${passed + failed.length} of ${seeds} seeds, ${failed.length} failed, ${seconds()} s`);
  }, PROGRESS_EVERY_MS);

  const take = (result: SeedResult): void => {
    totalSteps += result.steps;
    if (result.failure === undefined) {
      passed++;
      if (result.undecided) undecided++;
      return;
    }
    failed.push(result.seed);
    say(`seed ${result.seed} failed: ${result.failure}`);
    say(`the last events:\n${result.trace}`);
    const planted = bug === undefined ? '' : ` --bug ${bug}`;
    say(`replay: npm run sim -- --seeds 1 --seed ${result.seed} --steps ${steps}${planted}\n`);
  };

  const serve = (worker: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      let current: number | undefined;
      const giveNext = (): void => {
        if (nextSeed >= firstSeed + seeds) {
          current = undefined;
          worker.disconnect();
          return;
        }
        current = nextSeed++;
        worker.send({ seed: current, steps, bug } satisfies SeedTask);
      };
      worker.on('message', (result: SeedResult) => {
        take(result);
        giveNext();
      });
      worker.on('exit', (code, signal) => {
        if (current !== undefined) {
          take({
            seed: current,
            steps: 0,
            undecided: false,
            failure: `the process ended with ${String(code ?? signal)}`,
            trace: '',
          });
        }
        resolve();
      });
      giveNext();
    });

  const workers = Array.from({ length: count }, () => serve(fork(path.join(__dirname, 'worker.js'))));
  return Promise.all(workers).then(() => {
    clearInterval(progress);
    if (undecided > 0) say(`${undecided} histories were too hard to decide within their limit`);
    say(`${totalSteps} steps in ${seconds()} s`);
    if (failed.length > 0) say(`failed seeds: ${failed.sort((a, b) => a - b).join(' ')}`);
    const missing = seeds - passed - failed.length;
    if (missing > 0) say(`${missing} seeds were not run`);
    say(`${passed} passed, ${failed.length} failed`);
    return failed.length === 0 && missing === 0 ? 0 : 1;
  });
}

const parsed = parseRunArguments(process.argv.slice(2));
if (parsed === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  void runSeeds(parsed).then((code) => (process.exitCode = code));
}
