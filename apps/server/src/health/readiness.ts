import type { ReadinessCheck } from '#replication';
import type { Lifecycle } from '../lifecycle';

export interface Readiness {
  readonly isReady: boolean;
  /** `status`, the names of what `failed`, and each check by its name: `ok`, or what the check says of itself. */
  readonly report: Readonly<Record<string, string | readonly string[]>>;
}

export function readinessOf(
  checks: readonly ReadinessCheck[],
  { isDraining, isLeaving }: Pick<Lifecycle, 'isDraining' | 'isLeaving'>,
): Readiness {
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  if (isDraining) failed.push('draining');
  else if (isLeaving) failed.push('leaving');
  const isReady = failed.length === 0;
  const states = checks.map(({ name, ok, detail }) => [name, detail || (ok ? 'ok' : 'failed')] as const);
  return {
    isReady,
    report: { status: isReady ? 'ready' : 'not_ready', failed, ...Object.fromEntries(states) },
  };
}
