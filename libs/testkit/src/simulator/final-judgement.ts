import type { GroupId, LogIndex, MemberId } from '#contracts';
import { readApplied, stateDigest } from '#state-machine';
import { checkHistory } from '../linearizability/check-history';
import { findCommitOrderFaults } from '../linearizability/commit-order';
import type { History } from '../linearizability/history';
import type { Model } from '../linearizability/model';
import { leaseModel, type LeaseInput, type LeaseOutput } from '../linearizability/models/lease-model';
import { objectModel, type ObjectInput, type ObjectOutput } from '../linearizability/models/object-model';
import { sha256 } from '../state-replay';
import { SimulationFailure } from './failure';
import type { SimHost } from './sim-host';

/** Enough for what clients of one run do; beyond it a history counts as not decided, and the run as passed. */
const HISTORY_CONFIGURATIONS = 100_000;

/** Replicas that have applied the same must be the same, row by row. */
export function compareStates(group: GroupId, hosts: readonly SimHost[]): void {
  const byApplied = new Map<LogIndex, Map<string, MemberId>>();
  for (const { member, openStores } of hosts) {
    const store = openStores.get(group);
    if (store === undefined) continue;
    const { appliedIndex } = readApplied(store);
    const digests = byApplied.get(appliedIndex) ?? new Map<string, MemberId>();
    byApplied.set(appliedIndex, digests.set(stateDigest(store, sha256), member));
  }
  for (const [applied, digests] of byApplied) {
    if (digests.size === 1) continue;
    const members = [...digests.values()].join(' and ');
    throw new SimulationFailure(`nodes ${members} differ in the state of group ${group} at ${applied}`);
  }
}

export function judgeObjects(history: History<ObjectInput, ObjectOutput>): 'linearizable' | 'unknown' {
  const faults = findCommitOrderFaults(history);
  if (faults.length > 0) throw new SimulationFailure(`positions contradict the calls: ${faults.join('; ')}`);
  return judge('objects', objectModel, history);
}

export function judgeLeases(history: History<LeaseInput, LeaseOutput>): 'linearizable' | 'unknown' {
  return judge('leases', leaseModel, history);
}

function judge<State, Input, Output>(
  what: string,
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
): 'linearizable' | 'unknown' {
  const result = checkHistory(model, history, { configurationLimit: HISTORY_CONFIGURATIONS });
  if (result.verdict === 'illegal') {
    throw new SimulationFailure(`the history of ${what} is not linearizable:\n${result.explanation}`);
  }
  return result.verdict;
}
