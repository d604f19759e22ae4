import { META_GROUP, StateError, type GroupId, type MemberId, type NodeName } from '#contracts';
import { join, type NodeIdentity } from '#replication';
import { HostClock } from './host-clock';
import type { SeededStream } from './random';
import type { SafetyRules } from './safety-rules';
import { Life } from './scheduler';
import type { SimHost } from './sim-host';
import type { World } from './world';

export interface MembershipOptions {
  readonly world: World;
  readonly random: SeededStream;
  readonly rules: SafetyRules;
  readonly groups: () => readonly GroupId[];
  /** Where newcomers come up. */
  readonly regions: readonly string[];
  /** Puts a machine in place for a node that was let in. */
  readonly addHost: (identity: NodeIdentity, region: string) => SimHost;
}

const MOST_HOSTS = 9;
const REJOIN_WITHIN_MS = 1_000;

/**
 * Nodes that come and go while a run goes on: newcomers, removals, and machines that are lost with their disks and
 * replaced. One loss at a time: the next one waits until the groups have gone on without the last.
 */
export class Membership {
  private joins = 0;
  /** Nodes that have begun to ask and are not let in yet. */
  private joining = 0;

  constructor(private readonly options: MembershipOptions) {}

  /** The newest that any running node knows of the nodes: which of them are to live. */
  expected(): SimHost[] {
    const { hosts } = this.options.world;
    const directory = this.newestDirectory();
    return [...hosts.values()].filter(({ member, quarantined }) => {
      if (quarantined !== undefined) return false;
      const state = directory?.get(member)?.state;
      return directory === undefined || directory.size === 0 || state === 'active';
    });
  }

  /** Whether no node is on its way in or out. */
  isSettled(): boolean {
    return (
      this.joining === 0 &&
      ![...(this.newestDirectory()?.values() ?? [])].some(({ state }) => state === 'leaving')
    );
  }

  grow(): void {
    if (this.options.world.hosts.size >= MOST_HOSTS) return;
    this.letIn(`newcomer-${this.joins + 1}`);
  }

  removeOne(): void {
    const { world, random } = this.options;
    const directory = this.newestDirectory();
    const active = [...(directory?.values() ?? [])].filter(({ state }) => state === 'active');
    const via = [...world.hosts.values()].find(({ isUp }) => isUp);
    if (active.length < 4 || via === undefined || !this.isSound() || !this.isSettled()) return;
    const { name } = random.pick(active);
    world.note(`${name} is to leave`);
    via.node!.admin.removeNode(name).catch((error: unknown) => {
      if (!(error instanceof StateError)) world.broken(error);
    });
  }

  /** A machine is gone with all it had; another one takes its name. */
  lose(host: SimHost): void {
    const { world } = this.options;
    if (world.hosts.size >= MOST_HOSTS || host.quarantined !== undefined || !this.isSound()) return;
    world.note(`node ${host.member} is lost`);
    world.crash(host, { power: true, downMs: 0 });
    host.quarantined = 'lost with its machine';
    this.replace(host);
  }

  /**
   * A node must not come back under its identity: its machine joins again, as a new member of the same name. However
   * many there are: a cluster whose lost machines are never replaced owes nobody progress.
   */
  replace(host: SimHost): void {
    const { world, random } = this.options;
    world.scheduler.after(random.between(1, REJOIN_WITHIN_MS), `${host.name} asks to be let in`, () => {
      this.letIn(host.name);
    });
  }

  /** Whether every voter of every group may still answer one day, so that a loss leaves a quorum. */
  isSound(): boolean {
    const { rules, world } = this.options;
    return this.options.groups().every((group) => {
      const configuration = rules.configuration(group);
      if (configuration === undefined || !rules.isConfigured(group)) return false;
      const { voters } = configuration;
      const isWhole = (member: MemberId): boolean => world.hosts.get(member)?.isWhole === true;
      return voters.length >= 3 && voters.every(isWhole);
    });
  }

  private letIn(name: string): void {
    const { world } = this.options;
    const life = new Life(`${name} (joining)`, 0);
    const clock = new HostClock(world.scheduler, life, { wallOffsetMs: 0, secondLength: 1 });
    const incarnation = `${name}-${++this.joins}`;
    const known = [...world.hosts.values()].find((host) => host.name === name);
    const region = known?.region ?? this.options.random.pick(this.options.regions);
    const address = { region, host: name, port: 1 };
    const question = { ...address, name: name as NodeName, incarnation, httpUrl: `http://${name}` };
    const addresses = [...world.hosts.keys()].map((member) => ({ host: String(member), port: 1 }));
    this.joining++;
    join(question, addresses, {
      clock,
      introductions: {
        ask: ({ host }, _kind, body, { timeoutMs }) => this.ask(Number(host), body, timeoutMs, life),
      },
      onProgress: (what) => world.note(`${name}: ${what}`),
      stopped: () => false,
    }).then(
      (identity) => {
        this.joining--;
        if (world.hosts.has(identity.member))
          return world.broken(new Error(`member ${identity.member} was given out twice`));
        world.note(`${name} is let in as node ${identity.member}`);
        this.options.addHost(identity, region).boot();
      },
      (error: unknown) => {
        if (!(error instanceof StateError)) world.broken(error);
      },
    );
  }

  private ask(member: number, body: Uint8Array, timeoutMs: number, life: Life): Promise<Uint8Array> {
    const { world, random } = this.options;
    const { scheduler } = world;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new StateError('timeout', 'No answer.'));
      scheduler.after(timeoutMs, 'an introduction times out', late, life);
      const host = world.hosts.get(member as MemberId);
      const target = host?.life;
      if (host === undefined || target === undefined || !host.isUp) return late();
      const later = (what: string, act: () => void, whose: Life): void =>
        void scheduler.after(random.between(0.5, 20), what, act, whose);
      later(
        'an introduction arrives',
        () => {
          if (!host.isUp) return;
          host.node!.admit(body).then(
            (answer) => later('an introduction is answered', () => resolve(answer), life),
            (error: Error) => later('an introduction is refused', () => reject(error), life),
          );
        },
        target,
      );
    });
  }

  private newestDirectory():
    ReadonlyMap<MemberId, { readonly name: string; readonly state: string }> | undefined {
    const { hosts } = this.options.world;
    let newest: { applied: number; host: SimHost } | undefined;
    for (const host of hosts.values()) {
      const applied = host.statuses().find(({ group }) => group === META_GROUP)?.applied ?? 0;
      if (applied > (newest?.applied ?? 0)) newest = { applied, host };
    }
    return newest?.host.node?.directory.nodes;
  }
}
