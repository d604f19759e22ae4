/** How long a client is kept waiting before it is told that the outcome is unknown. */
export const WRITE_TIMEOUT = { timeoutMs: 10_000 } as const;
export const READ_TIMEOUT = { timeoutMs: 10_000 } as const;
