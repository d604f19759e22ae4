import { buildIfNeeded, rebuild } from './build.mjs';
import { Failure } from './failure.mjs';
import { runFuzz } from './fuzz.mjs';
import { installIfNeeded } from './install.mjs';
import { makeKeys } from './keys.mjs';
import { runProgram } from './program.mjs';
import { runTests } from './tests.mjs';

const USAGE = `usage: node tools/run.mjs <task> [arguments]

  start     run one node on http://127.0.0.1:8080 with data in ./data
  test      run every test that needs no container engine
  build     build everything into dist/
  bench     run the benchmarks
  cluster   run three nodes in three regions on this machine
  sim       run the deterministic simulator
  fuzz      give the parsers changed inputs for as long as you like
  keys      write new keys into .env
`;

/** Programs of the built tree that a task hands over to. */
const PROGRAMS = {
  bench: 'dist/bench/run.js',
  cluster: 'dist/tools/cluster/run.js',
  sim: 'dist/libs/testkit/src/simulator/run.js',
};

/** Runs one task; the promise gives the exit code: 0 success, 1 failure, 2 usage. */
export async function main([task, ...rest]) {
  try {
    switch (task) {
      case 'start':
        await prepare();
        return await runProgram('bin/agentstate', ['serve', ...rest], { DEV_MODE: 'true' });
      case 'test':
        await prepare();
        return await runTests(rest);
      case 'build':
        await installIfNeeded();
        await rebuild();
        return 0;
      case 'fuzz':
        await installIfNeeded();
        return await runFuzz(rest);
      case 'keys':
        return makeKeys(rest);
      case 'cluster':
        await prepare();
        return await runProgram(PROGRAMS.cluster, rest, {}, { readsTerminal: true });
      case 'bench':
      case 'sim':
        await prepare();
        return await runProgram(PROGRAMS[task], rest, {});
      default:
        process.stderr.write(USAGE);
        return 2;
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  }
}

async function prepare() {
  await installIfNeeded();
  await buildIfNeeded();
}
