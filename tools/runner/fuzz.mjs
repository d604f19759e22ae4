import { Failure } from './failure.mjs';
import { runProgram } from './program.mjs';

const USAGE = `usage: npm run fuzz -- [--seconds N] [--seed S] [target...]

Gives the parsers changed inputs, each target for N seconds (60 without it), from a new seed or from S. Without a
target all take their turn: frame, hello, wal, wal-records, token, sse, command, message-form, raft-message,
configuration, peer-bodies. What breaks a rule is printed as hex, with the place to keep it.`;

/** Resolves to the exit code. The targets are tests: without a time `npm test` runs them, briefly. */
export async function runFuzz(args) {
  const { seconds, seed, targets } = parse(args);
  const names = targets.length === 0 ? '' : `(${targets.join('|')})$`;
  const jest = ['--runInBand', '--testPathPatterns=\\.fuzz\\.spec\\.ts$', `--testNamePattern=^fuzz ${names}`];
  const environment = {
    AGENTSTATE_FUZZ_SECONDS: `${seconds}`,
    ...(seed === undefined ? {} : { AGENTSTATE_FUZZ_SEED: `${seed}` }),
  };
  return runProgram('node_modules/jest/bin/jest.js', jest, environment);
}

function parse(args) {
  const options = { seconds: 60, seed: undefined, targets: [] };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === '--seconds' || arg === '--seed') {
      const value = Number(args[++at]);
      if (!Number.isSafeInteger(value) || value < 0) throw new Failure(USAGE);
      options[arg.slice(2)] = value;
    } else if (/^[a-z-]+$/.test(arg) && !arg.startsWith('-')) options.targets.push(arg);
    else throw new Failure(USAGE);
  }
  return options;
}
