import { deflateRawSync } from 'node:zlib';
import { memberId, type NodeName } from '#contracts';
import {
  NO_PEERS,
  Node,
  type Clock,
  type FoundingMember,
  type Network,
  type NodeIdentity,
  type SnapshotPolicy,
} from '#replication';
import { type Archive, DEFLATE_OPTIONS, openArchive } from '#snapshots';
import { type Log, openLog } from '#wal';
import { MemoryStateStores } from '../memory-state-store';
import { SimClock } from '../sim-clock';
import { SimDisk } from '../sim-disk';
import { sha256 } from '../state-replay';
import { LIMITS_OF_A_RUN, raftSettings } from './node-settings';
import { processDisk } from './process-disk';
import { SeededStream } from './random';
import { Life } from './scheduler';

const LOG_FOLDER = 'wal';
export const SNAPSHOT_FOLDER = 'snapshots';
/** Turns of the loop without a disk operation after which time goes on. */
const IDLE_TURNS = 4;
const STEP_MS = 5;
/** No bound on what is kept for snapshots: a test must be able to say exactly what a trim may remove. */
const KEEPS_ALL: SnapshotPolicy = { intervalMs: 0, keep: 0, logBytes: Number.MAX_SAFE_INTEGER };

/** A run of a node's process, from its start to its end. */
export interface NodeRun {
  readonly node: Node;
  readonly log: Log;
  readonly archive: Archive;
}

export interface LoneNodeOptions {
  /** Further members that the cluster begins with, which nobody will ever hear of. */
  readonly lost?: number;
  readonly network?: Network;
  readonly snapshotPolicy?: SnapshotPolicy;
}

/**
 * The real node, alone, over a simulated disk whose operations take place one by one: it can be cut off after any of
 * them, and started again on what that left.
 */
export class LoneNode {
  readonly disk = new SimDisk();
  /** What its processes went on with. */
  readonly warnings: string[] = [];
  /** Whether the node says that snapshots hold more of its log than there should be, each time that it said so. */
  readonly heldLog: boolean[] = [];
  private fatal: Error | undefined;
  private readonly stores = new MemoryStateStores();
  private readonly random: SeededStream;
  private readonly network: Network;
  private readonly snapshotPolicy: SnapshotPolicy;
  private life = new Life('first', 1);
  private clock = new SimClock();
  private lives = 0;
  private named = 0;
  private identity: NodeIdentity;

  constructor(
    seed: number,
    private readonly segmentBytes: number,
    { network = NO_PEERS, snapshotPolicy = KEEPS_ALL, lost = 0 }: LoneNodeOptions = {},
  ) {
    const founders = Array.from({ length: 1 + lost }, (_, at) => founder(at + 1));
    this.identity = { ...founders[0]!, clusterId: 'c0ffee', founders, founder: true, begun: false };
    this.random = new SeededStream(seed);
    this.network = network;
    this.snapshotPolicy = snapshotPolicy;
  }

  /**
   * Lets the disk and time go on until the work is done, or until the disk has seen `operations` in all. Resolves
   * with what the work gave, `undefined` when it was cut off.
   */
  async drive<Value>(work: Promise<Value>, operations = Infinity): Promise<Value | undefined> {
    const { disk } = this;
    let end: { readonly value: Value } | { readonly error: unknown } | undefined;
    work.then(
      (value) => (end = { value }),
      (error: unknown) => (end = { error }),
    );
    for (let idle = 0; end === undefined;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.fatal !== undefined) throw this.fatal;
      if (disk.pendingOperations > 0) {
        if (disk.history.length >= operations) return undefined;
        disk.runNext();
        idle = 0;
      } else if (++idle >= IDLE_TURNS) this.clock.advance(STEP_MS);
    }
    if ('error' in end) throw end.error;
    return end.value;
  }

  /** Whether its process runs. */
  get isUp(): boolean {
    return this.life.alive;
  }

  /** Simulated time of the present life, in milliseconds. */
  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  passTime(ms: number): void {
    this.clock.advance(ms);
  }

  /** Starts a process on what the disk has. To be driven. */
  async boot(): Promise<NodeRun> {
    const life = (this.life = new Life(`life ${++this.lives}`, 1));
    const clock = (this.clock = new SimClock(0, 1_700_000_000_000 + this.lives * 60_000));
    const disk = processDisk(this.disk, life);
    const onFatal = (error: Error): void => {
      if (life.alive) this.fatal = error;
    };
    const { segmentBytes, snapshotPolicy } = this;
    const log = await openLog({ ...LIMITS_OF_A_RUN.log, segmentBytes, dir: LOG_FOLDER, disk, onFatal });
    const archive = await openArchive({
      dir: SNAPSHOT_FOLDER,
      disk,
      compression: { deflate: (bytes) => Promise.resolve(deflateRawSync(bytes, DEFLATE_OPTIONS)) },
    });
    const node = await Node.open({
      ...LIMITS_OF_A_RUN.node,
      introductions: undefined,
      snapshotPolicy,
      identity: this.identity,
      identities: {
        load: () => Promise.resolve(this.identity),
        save: (identity) => Promise.resolve(void (this.identity = identity)),
      },
      log,
      snapshots: archive,
      newSnapshotId: () => `snap-${++this.named}`,
      stores: this.stores,
      network: this.network,
      address: { region: 'local', host: 'h', httpUrl: 'http://h', port: 1 },
      addressOverrides: new Map(),
      defaultReplicas: 1,
      clock: clockOf(clock, life),
      random: this.random.fork(`life ${this.lives}`),
      digest: sha256,
      raft: raftSettings(this.random),
      watchObserver: SILENT,
      observer: {
        leaderChanged: () => undefined,
        logHeld: (isHeld) => life.alive && this.heldLog.push(isHeld),
        warning: (what, error) => life.alive && this.warnings.push(`${what}: ${error.message}`),
      },
      onFatal,
      onRemoved: () => undefined,
      onReleased: () => Promise.resolve(),
    });
    return { node, log, archive };
  }

  /** The process is gone; with `power` the machine too, and what its disk had not synced is lost, kept or torn. */
  async crash(power: boolean): Promise<void> {
    this.life.alive = false;
    if (power) this.disk.crash(this.random.pickBelow);
    else this.disk.end();
    await this.stores.crash(this.random);
  }
}

function founder(number: number): FoundingMember {
  const name = `node-${number}` as NodeName;
  return { member: memberId(number), name, region: 'local', host: 'h', port: number, incarnation: 'disk' };
}

/** Timers stand still with the test; a dead process has no turns any more. */
function clockOf(clock: SimClock, life: Life): Clock {
  return {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, task) => clock.after(delayMs, () => life.alive && task()),
    soon: (task) => void setImmediate(() => life.alive && task()),
  };
}

const SILENT = {
  clients: () => undefined,
  events: () => undefined,
  dropped: () => undefined,
  backlog: () => undefined,
  emitLag: () => undefined,
  received: () => undefined,
  resumed: () => undefined,
};
