import type { Applied, CommandOutcome, ErrorCode, ErrorExtras } from '#contracts';

const NO_CHANGES: Applied['changes'] = [];

/** A command that changed nothing, and why. */
export function rejected(code: ErrorCode, detail: string, extras?: ErrorExtras): Applied {
  const outcome: CommandOutcome = { kind: 'rejected', code, detail, ...(extras ? { extras } : {}) };
  return { outcome, changes: NO_CHANGES };
}

/** A command that answers something and changed no object. */
export function unchanged(outcome: CommandOutcome): Applied {
  return { outcome, changes: NO_CHANGES };
}
