import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import { Failure } from './failure.mjs';
import { inRoot, ROOT } from './root.mjs';

/** One Ctrl-C can arrive twice: from the terminal, and again from npm. A second one on purpose comes later. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs a program of the project in the foreground and gives its exit code. Defaults fill in only what the
 * environment leaves open. The program has a process group of its own, so that each signal reaches it once,
 * through us, and we outlive it; unless it reads what is typed, which only the terminal's own group may: then it
 * takes the same signal twice in its stride.
 */
export function runProgram(file, args, defaults, { readsTerminal = false } = {}) {
  if (!existsSync(inRoot(file))) throw new Failure(`This version of AgentState has no ${file}.`);
  // What says itself how it is run is run so: bin/agentstate names flags of Node.
  const runsItself = !file.endsWith('.js') && process.platform !== 'win32';
  const [command, ...first] = runsItself ? [inRoot(file)] : [process.execPath, inRoot(file)];
  const child = spawn(command, [...first, ...args], {
    cwd: ROOT,
    env: { ...defaults, ...process.env },
    stdio: 'inherit',
    detached: process.platform !== 'win32' && !readsTerminal,
  });
  let lastMs = 0;
  const forward = (signal) => {
    const nowMs = Date.now();
    if (nowMs - lastMs < SAME_SIGNAL_MS) return;
    lastMs = nowMs;
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, forward);
  // The terminal is gone: stop cleanly rather than run on unseen.
  process.on('SIGHUP', () => forward('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Failure(`${file} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}
