import { deflateRawSync } from 'node:zlib';
import type { GroupId, MemberId, NodeName } from '#contracts';
import {
  Node,
  type LogWrite,
  type NodeIdentity,
  type NodeOptions,
  type NodeTuning,
  type ReplicaStatus,
  type StateStore,
  type StateStores,
} from '#replication';
import { DEFLATE_OPTIONS, openArchive } from '#snapshots';
import { LogCorruption, openLog } from '#wal';
import { MemoryStateStores } from '../memory-state-store';
import { SimDisk } from '../sim-disk';
import { sha256 } from '../state-replay';
import type { BorderRule } from './border-rule';
import { SimulationFailure } from './failure';
import { type ClockError, HostClock } from './host-clock';
import { LogImage } from './log-image';
import { LIMITS_OF_A_RUN, SHORT_HISTORY, raftSettings } from './node-settings';
import type { SeededStream } from './random';
import { processDisk } from './process-disk';
import type { SafetyRules } from './safety-rules';
import { Life, type Scheduler } from './scheduler';
import type { SimBus } from './sim-bus';
import type { SimNetwork } from './sim-network';
import { type SimulatedBug, placementBug, raftBug, stateBug } from './planted-bug';
import { WatchedLog } from './watched-log';

export interface SimHostOptions {
  readonly identity: NodeIdentity;
  readonly region: string;
  readonly tuning: Partial<NodeTuning>;
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  /** Two clusters of five have one beside the links. */
  readonly bus: SimBus | undefined;
  readonly random: SeededStream;
  readonly rules: SafetyRules;
  readonly border: BorderRule;
  readonly clockError: ClockError;
  readonly bug: SimulatedBug | undefined;
  readonly forgets: boolean;
  readonly note: (what: string) => void;
  readonly peer: (member: MemberId) => SimHost | undefined;
  /** {@link Membership.introductions}. */
  readonly introductions: (life: Life) => NodeOptions['introductions'];
  /** Looks at the process as it is now. */
  readonly inspect: (host: SimHost) => void;
  /** The process ended by itself; `undefined` for a clean stop. */
  readonly onEnd: (host: SimHost, error: Error | undefined) => void;
  /** The node says that it leads a group now. */
  readonly onElected: (host: SimHost, group: GroupId) => void;
  /** The process goes on after a pause. */
  readonly onResumed: (host: SimHost) => void;
  /** The node says that the cluster has removed it. */
  readonly onRemoved: (host: SimHost) => void;
  /** Something happened that must never happen. */
  readonly onBroken: (error: unknown) => void;
}

const LOG_FOLDER = 'wal';
const SNAPSHOT_FOLDER = 'snapshots';

/**
 * One machine: a disk, clocks, and a process on it that is the real node from the engine down to the log's file
 * operations. What survives the process is here; everything else is made anew at each boot.
 */
export class SimHost {
  readonly member: MemberId;
  disk = new SimDisk();
  image = new LogImage();
  stores = new MemoryStateStores();
  readonly openStores = new Map<GroupId, StateStore>();
  life: Life | undefined;
  node: Node | undefined;
  /** Why this machine must not come back under its identity. */
  quarantined: string | undefined;
  /** Something on its disk was changed behind its back, whether it has noticed or not. */
  damaged = false;
  /** The process is to die right before, or right after, its next operation on the disk. */
  crashAtDisk: 'before' | 'after' | undefined;
  /** Simulated milliseconds that a sync takes at most. */
  slowestSyncMs = FAST_SYNC_MS;
  private undisturbedSinceMs = 0;
  private identity: NodeIdentity;
  private lives = 0;
  private snapshotsNamed = 0;
  private diskPlanned = false;

  constructor(private readonly options: SimHostOptions) {
    this.identity = options.identity;
    this.member = options.identity.member;
  }

  get name(): NodeName {
    return this.identity.name;
  }

  get region(): string {
    return this.options.region;
  }

  get incarnation(): string {
    return this.identity.incarnation;
  }

  /** Whether its disk has all that it promised. */
  get isWhole(): boolean {
    return this.quarantined === undefined && !this.damaged;
  }

  get isUp(): boolean {
    return this.node !== undefined && this.life?.alive === true;
  }

  get isDown(): boolean {
    return this.life === undefined;
  }

  get clockError(): ClockError {
    return this.options.clockError;
  }

  /** Whether the process has run for so long without a pause. */
  hasRunFor(ms: number): boolean {
    return (
      this.isUp && this.life?.paused === false && this.options.scheduler.nowMs - this.undisturbedSinceMs >= ms
    );
  }

  pause(forMs: number): void {
    const { life } = this;
    if (life === undefined || life.paused) return;
    life.paused = true;
    this.options.scheduler.after(forMs, `node ${this.member} goes on`, () => {
      if (this.life === life) this.goOn();
    });
  }

  /** Ends a pause early, if there is one. */
  goOn(): void {
    const { life } = this;
    if (life?.paused !== true) return;
    this.undisturbedSinceMs = this.options.scheduler.nowMs;
    this.options.scheduler.resume(life);
    this.options.onResumed(this);
  }

  statuses(): readonly ReplicaStatus[] {
    return this.isUp ? (this.node as Node).replicas() : [];
  }

  boot(): void {
    if (!this.isDown || this.quarantined !== undefined) return;
    const life = new Life(`node ${this.member}`, this.member);
    this.life = life;
    this.lives++;
    this.undisturbedSinceMs = this.options.scheduler.nowMs;
    this.diskPlanned = false;
    this.options.rules.forget(this.member);
    this.open(life).catch((error: unknown) => {
      if (!life.alive) return;
      if (error instanceof LogCorruption) this.quarantined = error.message;
      this.options.onEnd(this, error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** The process is gone at once. With `power` the machine too, and with it what its disk had not synced. */
  crash(power: boolean): void {
    // What it has just done may have left already, so it is judged all the same.
    this.options.inspect(this);
    this.end();
    if (power) this.disk.crash(this.options.random.pickBelow);
    else this.disk.end();
    void this.stores.crash(this.options.random);
    if (this.options.bug === 'emptiedDisk' && this.options.random.chance(0.3)) this.emptyDisk();
  }

  /** The process has ended in order. */
  ended(): void {
    this.end();
    this.disk.end();
    void this.stores.crash(this.options.random);
  }

  /** Plans the next operation of the disk if there is one. Called after every event. */
  driveDisk(): void {
    const { life, disk } = this;
    const next = disk.nextOperation;
    if (this.diskPlanned || next === undefined || life === undefined) return;
    this.diskPlanned = true;
    const isSync = next.kind === 'sync' || next.kind === 'syncFolder';
    const delayMs = this.options.random.between(0.02, isSync ? this.slowestSyncMs : 0.2);
    this.options.scheduler.after(delayMs, `disk ${next.kind}`, () => this.runDisk(), life);
  }

  private runDisk(): void {
    this.diskPlanned = false;
    const { crashAtDisk } = this;
    this.crashAtDisk = undefined;
    if (crashAtDisk !== 'before') this.disk.runNext();
    if (crashAtDisk === undefined || this.life === undefined) return;
    this.options.note(`node ${this.member} dies ${crashAtDisk} a disk operation`);
    this.options.onEnd(this, new ProcessKilled());
  }

  private end(): void {
    const { life } = this;
    if (life === undefined) return;
    life.alive = false;
    this.life = undefined;
    this.node = undefined;
    this.crashAtDisk = undefined;
    this.openStores.clear();
    this.options.network.detach(this.member, life);
  }

  private async open(life: Life): Promise<void> {
    const { scheduler, network, rules, random, onBroken } = this.options;
    const { member } = this;
    const clock = new HostClock(scheduler, life, this.options.clockError);
    const onFatal = (error: Error): void => {
      if (life.alive) this.options.onEnd(this, error);
    };
    const inner = await openLog({
      ...LIMITS_OF_A_RUN.log,
      dir: LOG_FOLDER,
      disk: processDisk(this.disk, life),
      onFatal,
      monotonicMs: () => clock.monotonicMs(),
    });
    this.checkRecovery(inner);
    const log = new WatchedLog(
      inner,
      {
        appending: (writes) => {
          rules.onAppend(this, writes);
          this.options.border.onAppend(this, writes);
          this.image.append(writes);
        },
        forgetting: (group) => {
          rules.forgetReplica(member, group);
          this.image.forget(group);
        },
        durable: () => rules.onDurable(this, this.image.oldestIsDurable()),
      },
      (write) => this.alter(write),
    );
    const snapshots = await openArchive({
      dir: SNAPSHOT_FOLDER,
      disk: processDisk(this.disk, life),
      // In this thread: a pool of threads answers when it likes.
      compression: { deflate: (bytes) => Promise.resolve(deflateRawSync(bytes, DEFLATE_OPTIONS)) },
    });
    const node = await Node.open({
      ...LIMITS_OF_A_RUN.node,
      ...(this.options.forgets ? SHORT_HISTORY : {}),
      tuning: { ...LIMITS_OF_A_RUN.node.tuning, ...this.options.tuning },
      identity: this.identity,
      identities: {
        load: () => Promise.resolve(this.identity),
        save: (identity) => this.saveIdentity(identity, life),
      },
      log,
      snapshots,
      newSnapshotId: () => `snap-${member}-${this.lives}-${++this.snapshotsNamed}`,
      stores: this.recordedStores(life),
      network: network.attach(member, life, (from) => this.accepts(from)),
      introductions: this.options.bug === 'untoldRemoval' ? undefined : this.options.introductions(life),
      bus: this.options.bus?.attach(life),
      address: this.address(),
      ...{ clock, addressOverrides: new Map<never, never>(), defaultReplicas: 3 },
      random: random.fork(`life ${this.lives}`),
      digest: this.options.bug === 'divergentState' && member === 2 ? otherDigest : sha256,
      raft: { ...raftSettings(random), plantedBug: raftBug(this.options.bug) },
      stateBug: stateBug(this.options.bug),
      plantedBug: placementBug(this.options.bug),
      watchObserver: SILENT,
      observer: {
        leaderChanged: (group, leader, term) => {
          if (leader !== 0) rules.onLeader(group, term, leader);
          if (leader === member) this.options.onElected(this, group);
        },
        warning: (what, error) => {
          if (error.name !== 'StateError' && life.alive) onBroken(error);
          this.options.note(`node ${member} warns: ${what}: ${error.message}`);
        },
      },
      onFatal,
      onRemoved: () => this.options.onRemoved(this),
      onReleased: () => {
        if (life.alive && this.node !== undefined) this.options.onEnd(this, undefined);
        return Promise.resolve();
      },
    });
    if (life.alive) this.node = node;
  }

  private address(): NodeOptions['address'] {
    const { name } = this.identity;
    return { region: this.region, host: name, port: 1, httpUrl: `http://${name}` };
  }

  /** Of the nodes that the process knows of, members or not. */
  knownNames(): readonly string[] {
    const known = [...(this.node?.directory.nodes.values() ?? [])];
    return (known.length > 0 ? known : this.identity.founders).map(({ name }) => name);
  }

  /** As the handshake of the links has it: whom the node does not know, or knows with another disk, gets no link. */
  private accepts(from: MemberId): boolean {
    const peer = this.options.peer(from);
    if (peer === undefined || this.node === undefined) return true;
    return this.node.knows({ memberId: from, incarnation: peer.incarnation }) === 'known';
  }

  private checkRecovery(log: Awaited<ReturnType<typeof openLog>>): void {
    const faults = this.image.recover(log);
    if (faults.length > 0)
      this.options.onBroken(new SimulationFailure(`node ${this.member}: ${faults.join('; ')}`));
    try {
      this.options.rules.afterRecovery();
    } catch (error) {
      this.options.onBroken(error);
    }
  }

  private recordedStores(life: Life): StateStores {
    /** A dead process gets no answer: its successor may have the stores open. */
    const ifAlive = <T>(act: () => Promise<T>): Promise<T> =>
      life.alive ? act() : new Promise<T>(() => undefined);
    return {
      open: (group) =>
        ifAlive(async () => {
          const store = await this.stores.open(group);
          this.openStores.set(group, store);
          return store;
        }),
      begin: (group) =>
        ifAlive(async () => {
          const next = await this.stores.begin(group);
          const install = async (): Promise<void> => {
            await next.install();
            this.openStores.set(group, next.store);
          };
          return { ...next, install: () => ifAlive(install) };
        }),
      groups: () => ifAlive(() => this.stores.groups()),
      destroy: (group) =>
        ifAlive(() => {
          this.openStores.delete(group);
          return this.stores.destroy(group);
        }),
    };
  }

  private saveIdentity(identity: NodeIdentity, life: Life): Promise<void> {
    return new Promise((resolve) => {
      const save = (): void => {
        this.identity = identity;
        resolve();
      };
      this.options.scheduler.after(1, 'identity saved', save, life);
    });
  }

  private alter(write: LogWrite): LogWrite {
    const isLost = this.options.bug === 'loseHardState' && write.hardState !== undefined;
    return isLost && this.options.random.chance(0.5) ? { ...write, hardState: undefined } : write;
  }

  private emptyDisk(): void {
    this.disk = new SimDisk();
    this.image = new LogImage();
    this.stores = new MemoryStateStores();
    this.identity = this.options.identity;
  }
}

const otherDigest = (bytes: Uint8Array): string => [...sha256(bytes)].reverse().join('');

/** A fault of the simulation ended the process. */
export class ProcessKilled extends Error {}

export const FAST_SYNC_MS = 2;

const SILENT = {
  clients: () => undefined,
  events: () => undefined,
  dropped: () => undefined,
  backlog: () => undefined,
  emitLag: () => undefined,
  received: () => undefined,
  resumed: () => undefined,
};
