import type { ReadinessCheck } from '#replication';

export interface Readiness {
  readonly isReady: boolean;
  /** `status`, the names of what `failed`, and each check by its name: `ok`, or what the check says of itself. */
  readonly report: Readonly<Record<string, string | readonly string[]>>;
}

export function readinessOf(checks: readonly ReadinessCheck[], isDraining: boolean): Readiness {
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  if (isDraining) failed.push('draining');
  const isReady = failed.length === 0;
  const states = checks.map(({ name, ok, detail }) => [name, detail || (ok ? 'ok' : 'failed')] as const);
  return {
    isReady,
    report: { status: isReady ? 'ready' : 'not_ready', failed, ...Object.fromEntries(states) },
  };
}
