import { runProgram } from './program';

// The exit code is set, not forced, so that what was printed is written out in full; `serve` lives on until the
// server has closed everything it opened.
// Whoever reads may have had enough, as `head` does after its lines.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

void runProgram(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isInteractive: process.stdout.isTTY,
  nowMs: Date.now,
}).then((exitCode) => {
  process.exitCode = exitCode ?? process.exitCode;
});
