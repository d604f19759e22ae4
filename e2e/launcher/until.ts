import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

/**
 * Resolves with the first value that is neither `undefined` nor `false`. The deadline bounds a hang on a busy
 * machine; it measures nothing.
 */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
  deadlineMs = 60_000,
): Promise<Value> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(POLL_MS);
  }
}
