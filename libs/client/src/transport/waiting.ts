/** Resolves after the time, or rejects with the signal's reason as soon as that is aborted. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    const onAbort = (): void => {
      clearTimeout(timer);
      if (signal) reject(reasonOf(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal's reason may be anything; what is thrown should be an error. */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** Milliseconds before attempt `retry` (1 is the first retry): doubled each time, half of it chance. */
export function backoffMs(
  retry: number,
  { baseDelayMs, maxDelayMs }: { readonly baseDelayMs: number; readonly maxDelayMs: number },
): number {
  const fullMs = Math.min(baseDelayMs * 2 ** (retry - 1), maxDelayMs);
  return fullMs / 2 + Math.random() * (fullMs / 2);
}
