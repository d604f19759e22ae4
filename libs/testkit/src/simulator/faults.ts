import type { MemberId } from '#contracts';
import { DEFAULT_GROUP } from '#replication';
import { diskError } from '../sim-disk';
import type { Membership } from './membership';
import type { SeededStream } from './random';
import { FAST_SYNC_MS, type SimHost } from './sim-host';
import type { World } from './world';

/** Kinds of trouble. A run enables some of them, so that every mixture is met, also of few (swarm testing). */
export const FAULTS = [
  'kill',
  'powerLoss',
  'crashAtDisk',
  'crashAll',
  'stop',
  'pause',
  'isolate',
  'oneWayCut',
  'split',
  'badLinks',
  'clockJump',
  'slowDisk',
  'diskError',
  'diskFull',
  'bitRot',
  'flushState',
  'join',
  'remove',
  'loseMachine',
  'stallLeader',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Faults of one run, one after the other, each with its own end. */
export class Faults {
  private active = true;

  constructor(
    private readonly world: World,
    private readonly membership: Membership,
    private readonly random: SeededStream,
    private readonly enabled: readonly Fault[],
    private readonly meanPauseMs: number,
  ) {}

  start(): void {
    this.planNext();
  }

  /** No new trouble; what can heal is healed. */
  end(): void {
    this.active = false;
    const { world } = this;
    world.network.heal();
    Object.assign(world.quality, GOOD_LINKS);
    for (const host of world.hosts.values()) {
      host.crashAtDisk = undefined;
      this.mendDisk(host);
      host.goOn();
    }
  }

  private planNext(): void {
    const { world, random, meanPauseMs } = this;
    world.scheduler.after(random.between(0, 2 * meanPauseMs), 'trouble', () => {
      if (!this.active) return;
      this.strike(random.pick(this.enabled));
      this.planNext();
    });
  }

  private strike(fault: Fault): void {
    const { world, random, membership } = this;
    const host = random.pick([...world.hosts.values()]);
    world.note(`${fault} at node ${host.member}`);
    switch (fault) {
      case 'kill':
        return world.crash(host, { power: false, downMs: this.downMs() });
      case 'powerLoss':
        return world.crash(host, { power: true, downMs: this.downMs() });
      case 'crashAtDisk':
        host.crashAtDisk = random.pick(['before', 'after']);
        return;
      case 'crashAll':
        for (const one of world.hosts.values()) world.crash(one, { power: true, downMs: this.downMs() });
        return;
      case 'stop':
        return this.stop(host);
      case 'pause':
        return host.pause(random.between(10, 1_500));
      case 'isolate':
        return this.cut((from, to) => from === host.member || to === host.member);
      case 'oneWayCut':
        return random.chance(0.5)
          ? this.cut((from) => from === host.member)
          : this.cut((_from, to) => to === host.member);
      case 'split':
        return this.split();
      case 'badLinks':
        return this.badLinks();
      case 'clockJump':
        host.clockError.wallOffsetMs += random.between(-300_000, 300_000);
        return;
      case 'slowDisk':
        host.slowestSyncMs = random.between(20, 300);
        return this.later(2_000, 'a disk is fast again', () => (host.slowestSyncMs = FAST_SYNC_MS));
      case 'diskError':
        return this.failDisk(host);
      case 'diskFull':
        host.disk.capacityBytes = host.disk.usedBytes + random.below(40_000);
        return this.later(1_500, 'a disk has room again', () => this.mendDisk(host));
      case 'bitRot':
        return this.rot(host);
      case 'join':
        return membership.grow();
      case 'remove':
        return membership.removeOne();
      case 'loseMachine':
        return membership.lose(host);
      case 'stallLeader':
        return this.stallLeader();
      case 'flushState':
        for (const store of host.openStores.values()) void store.flush();
        return;
    }
  }

  private downMs(): number {
    return this.random.chance(0.2) ? this.random.between(500, 3_000) : this.random.between(1, 400);
  }

  private later(withinMs: number, what: string, act: () => void): void {
    const { world, random } = this;
    world.scheduler.after(random.between(withinMs / 10, withinMs), what, () => {
      if (this.active) act();
    });
  }

  private cut(isCut: (from: MemberId, to: MemberId) => boolean): void {
    const members = [...this.world.hosts.keys()];
    for (const from of members) {
      for (const to of members) if (from !== to && isCut(from, to)) this.world.network.cut(from, to);
    }
    this.later(2_500, 'links heal', () => this.world.network.heal());
  }

  /**
   * A leader is cut off and its process stands still, too long for the others to wait and too long for it to notice.
   * When it goes on it still takes itself for the leader, and must do nothing by what it knew.
   */
  private stallLeader(): void {
    const { world, random } = this;
    const leads = (host: SimHost): boolean =>
      host.statuses().some(({ group, role }) => group === DEFAULT_GROUP && role === 'leader');
    const leader = [...world.hosts.values()].find(leads);
    if (leader === undefined) return;
    leader.pause(random.between(300, 1_000));
    this.cut((from, to) => from === leader.member || to === leader.member);
  }

  private split(): void {
    const left = new Set([...this.world.hosts.keys()].filter(() => this.random.chance(0.5)));
    this.cut((from, to) => left.has(from) !== left.has(to));
  }

  private badLinks(): void {
    const { world, random } = this;
    world.quality.maxDelayMs = random.between(5, 120);
    world.quality.dropShare = random.pick([0, 0.02, 0.2]);
    world.quality.duplicateShare = random.pick([0, 0.05, 0.2]);
    world.quality.reorderShare = random.pick([0, 0.05, 0.2]);
    this.later(3_000, 'links are good again', () => Object.assign(world.quality, GOOD_LINKS));
  }

  private stop(host: SimHost): void {
    const { node } = host;
    if (!host.isUp || node === undefined) return;
    node.engine.stop().catch((error: unknown) => this.world.note(`stop failed: ${String(error)}`));
  }

  /** One of the next operations fails; the process must end then. */
  private failDisk(host: SimHost): void {
    const { disk } = host;
    let countdown = this.random.below(6);
    disk.inject = ({ kind }) => {
      if (kind === 'freeBytes' || countdown-- > 0) return undefined;
      disk.inject = undefined;
      this.world.note(`node ${host.member}: ${kind} fails`);
      return diskError('EIO');
    };
  }

  private mendDisk({ disk }: SimHost): void {
    disk.inject = undefined;
    disk.capacityBytes = Number.MAX_SAFE_INTEGER;
  }

  /**
   * A synced byte changes. Not in the newest records: no reader can tell a damaged last record from one that was
   * torn by a crash, so that there one machine alone cannot find out.
   */
  private rot(host: SimHost): void {
    const { random, world } = this;
    if (!host.isWhole || !this.membership.isSound()) return;
    const { disk } = host;
    const segments = disk
      .files()
      .filter((path) => path.endsWith('.wal'))
      .sort();
    const path = segments.length > 0 ? random.pick(segments) : undefined;
    if (path === undefined) return;
    const bytes = disk.contents(path);
    const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const safe = path === segments.at(-1) ? used - NEWEST_RECORDS_BYTES : used;
    if (safe <= 0) return;
    host.damaged = true;
    const position = random.below(safe);
    world.note(`node ${host.member}: a bit flips in ${path} at ${position} of ${used}`);
    disk.corrupt(path, position, 1 << random.below(8));
  }
}

export const GOOD_LINKS = {
  minDelayMs: 0.2,
  maxDelayMs: 3,
  dropShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
};

/** More than the log writes at once in a run. */
const NEWEST_RECORDS_BYTES = 6_000;
