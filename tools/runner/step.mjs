import { spawn } from 'node:child_process';
import { ROOT } from './root.mjs';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_MS = 120;
/** Without a terminal, a line this often shows that a long step is alive (some CI systems stop silent jobs). */
const HEARTBEAT_MS = 30_000;

const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

/**
 * Runs a command quietly and shows one line for it: a spinner and the time on a terminal, plain lines when piped.
 * Resolves to its exit code and everything it printed; what to do with a failure is the caller's choice.
 */
export async function step(label, command, args, env = {}) {
  const startMs = Date.now();
  const stopShowing = show(label, startMs);
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Ctrl-C reaches the child too, which is in our process group; we wait for it so that nothing is left behind.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`));
      resolve(127);
    });
    child.on('close', (exitCode, signal) => resolve(signal === null ? exitCode : 1));
  });
  process.off('SIGINT', ignore);
  stopShowing();
  const output = Buffer.concat(chunks).toString('utf8');
  return { code, output, took: seconds(startMs) };
}

/** Prints the final line of a step. */
export function report(label, ok, took, detail = '') {
  const mark = ok ? 'ok  ' : 'FAIL';
  console.log(`${mark} ${label.padEnd(12)} ${took.padStart(8)}${detail === '' ? '' : `  ${detail}`}`);
}

function show(label, startMs) {
  if (process.stdout.isTTY) {
    let frame = 0;
    const draw = () => {
      process.stdout.write(`\r\x1b[K${SPINNER[frame++ % SPINNER.length]} ${label} ${seconds(startMs)}`);
    };
    draw();
    const timer = setInterval(draw, SPINNER_MS);
    return () => {
      clearInterval(timer);
      process.stdout.write('\r\x1b[K');
    };
  }
  const timer = setInterval(() => console.log(`  .. ${label}, ${seconds(startMs)} so far`), HEARTBEAT_MS);
  return () => clearInterval(timer);
}
