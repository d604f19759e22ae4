import { createInterface } from 'node:readline';
import { runProgram } from './program';

function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question(question, (line) => {
      resolve(line);
      lines.close();
    });
  });
}

// Whoever reads may have had enough, as `head` does after its lines.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// The exit code is set, not forced, so that what was printed is written out in full; `serve` lives on until the
// server has closed everything it opened.
void runProgram(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isInteractive: process.stdout.isTTY,
  nowMs: Date.now,
  ...(process.stdin.isTTY && process.stderr.isTTY && { person: { ask } }),
}).then((exitCode) => {
  process.exitCode = exitCode ?? process.exitCode;
});
