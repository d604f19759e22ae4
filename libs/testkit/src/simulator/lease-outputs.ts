import type { CommandOutcome, Lease, LeaseCommand, Operation, ReadOutcome } from '#contracts';
import type { LeaseHolder, LeaseInput, LeaseOutput } from '../linearizability/models/lease-model';
import { SimulationFailure } from './failure';

type Done = Extract<CommandOutcome, { kind: 'done' }>;

const decoder = new TextDecoder();

/** A lease command as the history of leases has it. */
export function leaseInput({
  action,
  key,
  owner,
  token = 0,
  ttlMs = 0,
}: Pick<LeaseCommand, 'action' | 'key' | 'owner' | 'token' | 'ttlMs'>): LeaseInput {
  if (action === 'acquire') return { op: action, key, owner, ttlMs };
  if (action === 'renew') return { op: action, key, owner, token, ttlMs };
  return { op: action, key, owner, token };
}

/** The answer of a lease command, as the history of leases has it. */
export function leaseOutput(outcome: CommandOutcome): LeaseOutput {
  if (outcome.kind === 'done') {
    const result = outcome.results[0];
    if (result?.kind === 'lease') return heldOutput(result.lease);
    if (result?.kind === 'deleted') return { kind: 'released' };
    throw new SimulationFailure(`a lease command answered ${String(result?.kind)}`);
  }
  const { owner, expires_at: expiresAt } = outcome.extras ?? {};
  const holder: LeaseHolder | undefined =
    owner === undefined ? undefined : { owner, expiresAtMs: Date.parse(expiresAt ?? '') };
  if (outcome.code === 'lease_lost') return { kind: 'lease_lost', ...(holder && { holder }) };
  if (outcome.code === 'lease_held' && holder !== undefined) return { kind: 'lease_held', ...holder };
  throw new SimulationFailure(`a lease command was rejected with ${outcome.code}: ${outcome.detail}`);
}

export function leaseReadOutput(outcome: ReadOutcome): LeaseOutput {
  if (outcome.kind === 'absent') return { kind: 'absent' };
  if (outcome.kind !== 'lease') throw new SimulationFailure(`the read of a lease answered ${outcome.kind}`);
  return heldOutput(outcome.lease);
}

/** What a write that was done tells about the lease that it named: that it was held at its position and time. */
export function passedOutput(operations: readonly Operation[], { commitSeq, results }: Done): LeaseOutput {
  // Where nothing was changed no position was taken.
  if (operations.every(({ op }) => op === 'check')) return { kind: 'passed' };
  const put = results.find((result) => result.kind === 'object');
  if (put?.kind !== 'object') return { kind: 'passed', commitSeq };
  const { ts } = JSON.parse(decoder.decode(put.json)) as { ts: string };
  return { kind: 'passed', commitSeq, tsMs: Date.parse(ts) };
}

function heldOutput({ owner, token, expiresAtMs }: Lease): LeaseOutput {
  return { kind: 'held', owner, token, expiresAtMs };
}
