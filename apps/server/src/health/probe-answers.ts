import type { ReadinessCheck } from '#replication';
import type { Lifecycle } from '../lifecycle';

/** An answer to an orchestrator, whoever sends it. */
export interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Liveness: the process answers, whatever its groups do. */
export const ALIVE: ProbeAnswer = { status: 200, contentType: 'text/plain; charset=utf-8', text: 'ok' };

/** `status`, the names of what `failed`, and each check by its name: `ok`, or what the check says of itself. */
export function readinessAnswer(
  checks: readonly ReadinessCheck[],
  { isDraining, isLeaving }: Pick<Lifecycle, 'isDraining' | 'isLeaving'>,
): ProbeAnswer {
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  if (isDraining) failed.push('draining');
  else if (isLeaving) failed.push('leaving');
  const isReady = failed.length === 0;
  const states = checks.map(({ name, ok, detail }) => [name, detail || (ok ? 'ok' : 'failed')] as const);
  const report = { status: isReady ? 'ready' : 'not_ready', failed, ...Object.fromEntries(states) };
  return { status: isReady ? 200 : 503, contentType: 'application/json', text: JSON.stringify(report) };
}
