import type { IdempotencyKey, LeaseCommand } from '#contracts';

interface ModelLease {
  readonly ns: string;
  readonly key: string;
  readonly owner: string;
  readonly token: number;
  readonly expiresAtMs: number;
}

/** Leases and kept answers of the plain model: two maps. Answers are kept for ever, since no test waits for a day. */
export class GuardModel {
  private readonly leases = new Map<string, ModelLease>();
  private readonly answers = new Map<string, { readonly fingerprint: string; readonly outcome: string }>();

  /** The first answer to the command's key again, if there is one; else what `run` comes to. */
  once(
    { ns, idempotency }: { readonly ns: string; readonly idempotency?: IdempotencyKey },
    run: () => string,
  ): string {
    if (!idempotency) return run();
    const name = nameOf(ns, idempotency.key);
    const known = this.answers.get(name);
    if (known)
      return known.fingerprint === idempotency.fingerprint
        ? `${known.outcome} again`
        : 'idempotency_key_reused';
    const outcome = run();
    this.answers.set(name, { fingerprint: idempotency.fingerprint, outcome });
    return outcome;
  }

  /** What a lease command comes to; one that acquires takes `nextSeq` as its token. */
  lease(command: LeaseCommand, nowMs: number, nextSeq: number): string {
    const { ns, key, owner, action, token, ttlMs = 0 } = command;
    const held = this.held(ns, key, nowMs);
    if (action === 'acquire') {
      if (held && held.owner !== owner) return 'lease_held';
      return this.hold({ ns, key, owner, token: nextSeq, expiresAtMs: nowMs + ttlMs });
    }
    if (held?.owner !== owner || held.token !== token) return 'lease_lost';
    if (action === 'renew') return this.hold({ ...held, expiresAtMs: nowMs + ttlMs });
    this.leases.delete(nameOf(ns, key));
    return 'done deleted';
  }

  held(ns: string, key: string, nowMs: number): ModelLease | undefined {
    const lease = this.leases.get(nameOf(ns, key));
    return lease && lease.expiresAtMs > nowMs ? lease : undefined;
  }

  /** Leases that have ended and were not removed yet. */
  ended(nowMs: number): readonly ModelLease[] {
    return [...this.leases.values()].filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
  }

  remove({ ns, key }: ModelLease): void {
    this.leases.delete(nameOf(ns, key));
  }

  private hold(lease: ModelLease): string {
    this.leases.set(nameOf(lease.ns, lease.key), lease);
    return `done ${leaseText(lease)}`;
  }
}

export function leaseText({ key, owner, token, expiresAtMs }: Omit<ModelLease, 'ns'>): string {
  return `lease ${key} ${owner} ${token} ${expiresAtMs}`;
}

const nameOf = (ns: string, key: string): string => `${ns}\u0000${key}`;
