import { encodeUtf8 } from '#codec';
import type { Applied, CommitSeq, LeaseCommand } from '#contracts';
import type { BatchState } from './batch-state';
import { ExpiryKind, NO_VALUE } from './format';
import { expiryKey, leaseKey } from './keys';
import { decodeLease, encodeLease, heldLease, type LeaseRow, leaseOf } from './lease-row';
import { formatTime } from './object-row';
import { rejected, unchanged } from './rejection';

/**
 * Takes, prolongs or gives up a lease. All by the command's time, which the log decides: a leader that was paused
 * cannot end a lease nor prolong one by its own clock. A holder's token is the position at which it took the lease,
 * so that it grows for ever, over expiry, release and restore alike.
 */
export function applyLease(state: BatchState, command: LeaseCommand, tsMs: number): Applied {
  const key = encodeUtf8(command.key);
  const number = state.namespace(command.ns)?.number;
  const held = number === undefined ? undefined : heldLease(state.rows, number, key, tsMs);
  switch (command.action) {
    case 'acquire':
      return acquire(state, command, { key, held, tsMs });
    case 'renew':
    case 'release': {
      if (number === undefined || held?.owner !== command.owner || held.token !== command.token)
        return lost(command, held);
      return command.action === 'renew'
        ? hold(state, number, key, { ...held, expiresAtMs: tsMs + (command.ttlMs ?? 0) })
        : release(state, number, key);
    }
  }
}

/** The owner itself may take its lease again, as after a lost answer: it gets a new token, and the old one is stale. */
function acquire(
  state: BatchState,
  command: LeaseCommand,
  { key, held, tsMs }: { key: Uint8Array; held: LeaseRow | undefined; tsMs: number },
): Applied {
  if (held && held.owner !== command.owner) {
    const detail = `the lease is held by ${JSON.stringify(held.owner)}`;
    return rejected('lease_held', detail, holderOf(held));
  }
  const ns = state.namespace(command.ns) ?? state.createNamespace(command.ns);
  const position = (state.counters.commitSeq + 1) as CommitSeq;
  state.counters.commitSeq = position;
  const token = state.hasBug('fenceGoesBack') ? (held?.token ?? 0) + 1 : position;
  return hold(state, ns.number, key, {
    owner: command.owner,
    token,
    expiresAtMs: tsMs + (command.ttlMs ?? 0),
  });
}

function hold(state: BatchState, ns: number, key: Uint8Array, lease: LeaseRow): Applied {
  dropLease(state, ns, key);
  state.rows.put(leaseKey(ns, key), encodeLease(lease));
  state.rows.put(expiryKey(lease.expiresAtMs, ExpiryKind.lease, ns, key), NO_VALUE);
  return unchanged({
    kind: 'done',
    commitSeq: state.counters.commitSeq,
    results: [{ kind: 'lease', lease: leaseOf(key, lease) }],
  });
}

function release(state: BatchState, ns: number, key: Uint8Array): Applied {
  dropLease(state, ns, key);
  return unchanged({ kind: 'done', commitSeq: state.counters.commitSeq, results: [{ kind: 'deleted' }] });
}

/** Removes a lease that may or may not have ended. */
export function dropLease(state: BatchState, ns: number, key: Uint8Array): void {
  const row = state.rows.get(leaseKey(ns, key));
  if (!row) return;
  state.rows.delete(leaseKey(ns, key));
  state.rows.delete(expiryKey(decodeLease(row).expiresAtMs, ExpiryKind.lease, ns, key));
}

function lost({ key, token }: LeaseCommand, held: LeaseRow | undefined): Applied {
  const detail = `the lease ${JSON.stringify(key)} is not held under token ${token ?? 0}`;
  return rejected('lease_lost', detail, held && holderOf(held));
}

function holderOf({ owner, expiresAtMs }: LeaseRow): { owner: string; expires_at: string } {
  return { owner, expires_at: formatTime(expiresAtMs) };
}
