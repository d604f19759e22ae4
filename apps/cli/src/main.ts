import { runProgram } from './program';

// The exit code is set, not forced, so that what was printed is written out in full; `serve` lives on until the
// server has closed everything it opened.
void runProgram(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  nowMs: Date.now,
}).then((exitCode) => {
  process.exitCode = exitCode ?? process.exitCode;
});
