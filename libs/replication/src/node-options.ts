import type { ErrorCode, GroupId, MemberId, Term } from '#contracts';
import type { RaftConfig } from '#raft';
import type { Digest, StateBug } from '#state-machine';
import type { WatchLimits, WatchObserver } from '#watch';
import type { Introductions } from './formation';
import type { IdentityStore, NodeIdentity } from './identity';
import type { SnapshotArchive } from './named-snapshots/archive';
import type { SnapshotPolicy } from './named-snapshots/node-snapshots';
import type { PlacementBug } from './moves/planted-bug';
import type { NodeTuning } from './node-tuning';
import type { NodeAddress } from './peers/peer-book';
import type { Clock, LogStore, Network, Random, StateStores } from './ports';
import type { ReplicaLimits } from './replica-options';
import type { WatchBus } from './watch-bus';

export interface NodeOptions {
  readonly identity: NodeIdentity;
  readonly identities: IdentityStore;
  readonly log: LogStore;
  readonly snapshots: SnapshotArchive;
  readonly snapshotPolicy: SnapshotPolicy;
  /** A name that no snapshot had before, in the order of time. */
  readonly newSnapshotId: () => string;
  readonly stores: StateStores;
  readonly network: Network;
  /** Questions to addresses, past the links; absent on a node that has no peers. */
  readonly introductions: Introductions | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  /** @internal A mistake to make on purpose when commands are applied, as the core has its own. */
  readonly stateBug?: StateBug;
  /** Where others reach this node; told to the cluster when it changes. */
  readonly address: NodeAddress;
  /** Addresses of peers by name that the operator gave this node itself: they win over what nodes tell. */
  readonly addressOverrides: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
  /** Voters of the default placement, when this node is the one that begins it. */
  readonly defaultReplicas: number;
  readonly tickMs: number;
  readonly raft: Omit<RaftConfig, 'id' | 'random'>;
  readonly replicaLimits: ReplicaLimits;
  readonly watchLimits: WatchLimits;
  readonly watchObserver: WatchObserver;
  readonly historyRetentionMs: number;
  readonly historyRetentionCommits: number;
  /** The fast way for watch events between nodes; closed with the node. */
  readonly bus?: WatchBus;
  /** What is not a user's to set: tests make it small, so that short runs meet it. */
  readonly tuning?: Partial<NodeTuning>;
  /** A mistake to make on purpose, in tests of what finds it. */
  readonly plantedBug?: PlacementBug;
  readonly observer: NodeObserver;
  /** The process must end: an invariant is broken, or the disk failed. */
  readonly onFatal: (error: Error) => void;
  /** This node was removed from its cluster: it has nothing more to do. Called at least once. */
  readonly onRemoved: () => void;
  /** Everything is flushed and closed: what was locked may be let go of. */
  readonly onReleased: () => Promise<void>;
}

/** Where a node reports what happens; plain calls on the engine's turn, which must be cheap and must not throw. */
export interface NodeObserver {
  leaderChanged(group: GroupId, leader: MemberId, term: Term): void;
  /** A write was refused or given up after it came to its leader; `reason` is the error's code. */
  proposalFailed?(group: GroupId, reason: ErrorCode): void;
  /** A named snapshot was taken here, or could not be. */
  snapshotTaken?(result: 'ok' | 'failed', seconds: number): void;
  /**
   * Whether the log takes twice what it may, or the disk is nearly full, while the newest named snapshot needs that
   * log and no newer one could be taken. Called when it changes.
   */
  logHeld?(isHeld: boolean): void;
  /** Replicas that should be equal are not: an alarm. */
  statesDiffer?(what: string): void;
  /** Something went wrong that the node goes on with. */
  warning(what: string, error: Error): void;
}

/** The shortest time, in milliseconds, after which a follower that hears nothing stands for election. */
export function electionTimeoutMs({ tickMs, raft }: Pick<NodeOptions, 'tickMs' | 'raft'>): number {
  return tickMs * raft.electionTimeoutTicks;
}

/**
 * How long a request waits for a leader, in milliseconds. Followers stand for election within two election timeouts;
 * where their votes are not split, one of them leads by then.
 */
export function leaderPatienceMs(options: Pick<NodeOptions, 'tickMs' | 'raft'>): number {
  return 3 * electionTimeoutMs(options);
}
