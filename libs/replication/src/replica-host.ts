import {
  StateError,
  type ChangeBatch,
  type ErrorCode,
  type GroupId,
  type MemberId,
  type SnapshotCommand,
  type Term,
} from '#contracts';
import { alignLog, bootstrapReplica } from './bootstrap';
import type { Driver } from './driver';
import type { LogStore, StateStore, StateStores } from './ports';
import { Replica } from './replica';
import type { ReplicaOptions } from './replica-options';

export interface ReplicaHostOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly log: LogStore;
  readonly stores: StateStores;
  readonly replica: Pick<ReplicaOptions, 'random' | 'raft' | 'limits' | 'digest' | 'stateBug'>;
  readonly onChanges: (replica: Replica, changes: readonly ChangeBatch[]) => void;
  readonly onLeader: (group: GroupId, leader: MemberId, term: Term) => void;
  readonly onTenants: (replica: Replica) => void;
  readonly onSnapshot: (replica: Replica, command: SnapshotCommand) => void;
  /** This node holds the group no more. */
  readonly onGone: (group: GroupId) => void;
  readonly onProposalFailed: (group: GroupId, reason: ErrorCode) => void;
}

/** Opens the replicas that this node holds, begins those it is told to, and gives up those it holds no more. */
export class ReplicaHost {
  private readonly opening = new Map<GroupId, Promise<Replica>>();
  /** Replicas that are being given up: the group is not opened again before they are gone. */
  private readonly closing = new Map<GroupId, Promise<void>>();

  constructor(private readonly options: ReplicaHostOptions) {}

  /** Whether a replica is just being given up. */
  get isGivingUp(): boolean {
    return this.closing.size > 0;
  }

  /** Resolves when no replica is being opened or given up. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.opening.values(), ...this.closing.values()]);
  }

  /** Removes states that are left of replicas which were being given up when the process ended: they have no log. */
  async removeLeftovers(): Promise<void> {
    const { log, stores } = this.options;
    const held = new Set(log.groups());
    for (const group of await stores.groups()) if (!held.has(group)) await stores.destroy(group);
  }

  /** Opens a replica; with `founders`, one that begins its group. Concurrent calls for a group share one opening. */
  open(group: GroupId, founders?: readonly MemberId[]): Promise<Replica> {
    const held = this.options.driver.get(group);
    if (held !== undefined) return Promise.resolve(held);
    let opening = this.opening.get(group);
    if (opening === undefined) {
      opening = this.begin(group, founders).finally(() => this.opening.delete(group));
      this.opening.set(group, opening);
    }
    return opening;
  }

  /**
   * Closes a replica that is no member of its group any more and removes all that this node has of it. The log
   * forgets it first, and durably: a state that is left over has no log and is removed when the group is opened
   * again, while a log without its state could only be taken for damage.
   */
  destroy(replica: Replica): Promise<void> {
    const { group } = replica;
    const closing = this.remove(replica).finally(() => this.closing.delete(group));
    this.closing.set(group, closing);
    return closing;
  }

  private async remove(replica: Replica): Promise<void> {
    const { driver, log, stores } = this.options;
    driver.remove(replica.group);
    // Before anything else of this turn: nobody may look for the replica any more.
    this.options.onGone(replica.group);
    replica.rejectWaiting(movedAway);
    log.forget(replica.group);
    await new Promise<void>((resolve) => log.append([], resolve));
    await replica.store.close();
    await stores.destroy(replica.group);
  }

  private async begin(group: GroupId, founders?: readonly MemberId[]): Promise<Replica> {
    const { driver, log, stores } = this.options;
    await this.closing.get(group);
    // A first member begins with its state. For others a state without a log is what a removal, or the first
    // snapshot's installation, left when it was cut short.
    if (founders === undefined && log.state(group) === undefined) await stores.destroy(group);
    const store = await stores.open(group);
    try {
      if (founders !== undefined) {
        await bootstrapReplica(group, founders, { log, store, digest: this.options.replica.digest });
      } else {
        await alignLog(group, { log, store });
      }
      const replica = this.replicaOf(group, store);
      driver.add(replica);
      return replica;
    } catch (error) {
      // What is found damaged is moved aside and begun anew by this same process, under the same path.
      await store.close();
      throw error;
    }
  }

  private replicaOf(group: GroupId, store: StateStore): Replica {
    const { driver, log, member } = this.options;
    const replica: Replica = new Replica({
      ...this.options.replica,
      group,
      member,
      log,
      store,
      onChanges: (_, changes) => this.options.onChanges(replica, changes),
      onWork: (busy) => driver.wake(busy),
      onLeader: this.options.onLeader,
      onTenants: this.options.onTenants,
      onSnapshot: this.options.onSnapshot,
      onProposalFailed: this.options.onProposalFailed,
    });
    return replica;
  }
}

function movedAway(): StateError {
  return new StateError('not_ready', 'The namespace has moved to other nodes; try again.', {
    retry_after: 1,
  });
}
