import { META_GROUP, StateError, type GroupId, type MemberId, type NodeName } from '#contracts';
import { join, type Introductions, type NodeIdentity } from '#replication';
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

interface Introduction {
  readonly kind: number;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

const MOST_HOSTS = 9;
/** How long a node may be away that is removed meanwhile. */
const AWAY_MS = [200, 3_000] as const;
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

  /** Whether no node is on its way in or out, and whoever was removed knows it and has stopped. */
  isSettled(): boolean {
    const nodes = [...(this.newestDirectory()?.entries() ?? [])];
    const isThere = (member: MemberId): boolean => {
      const host = this.options.world.hosts.get(member);
      return host !== undefined && host.quarantined === undefined && this.mayAsk(host);
    };
    return (
      this.joining === 0 &&
      !nodes.some(([member, { state }]) => state === 'leaving' || (state === 'removed' && isThere(member)))
    );
  }

  /** Whether a node knows of any that is a member: one that knows of none but removed ones has nobody to ask. */
  private mayAsk(host: SimHost): boolean {
    const members = new Set<string>(this.expected().map(({ name }) => name));
    return host.knownNames().some((name) => name !== host.name && members.has(name));
  }

  grow(): void {
    if (this.options.world.hosts.size >= MOST_HOSTS) return;
    this.letIn(`newcomer-${this.joins + 1}`);
  }

  removeOne(): void {
    const { world, random } = this.options;
    const directory = this.newestDirectory();
    const active = [...(directory?.entries() ?? [])].filter(([, { state }]) => state === 'active');
    if (active.length < 4 || !this.isSound() || !this.isSettled()) return;
    const [member, { name }] = random.pick(active);
    world.note(`${name} is to leave`);
    const host = world.hosts.get(member);
    // As an operator does with a machine that is away for long.
    if (host?.isUp === true && random.chance(0.5))
      world.crash(host, { power: false, downMs: random.between(...AWAY_MS) });
    const via = [...world.hosts.values()].find(({ isUp }) => isUp);
    via?.node!.admin.removeNode(name).catch((error: unknown) => {
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
        ask: ({ host }, kind, body, { timeoutMs }) =>
          this.ask(world.hosts.get(Number(host) as MemberId), { kind, body, timeoutMs }, life),
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

  /** Questions of a running node to addresses: the machine that has a name now answers there. */
  introductions(life: Life): Introductions {
    const at = (name: string): SimHost | undefined =>
      [...this.options.world.hosts.values()].find((host) => host.name === name && host.isUp);
    return {
      ask: ({ host }, kind, body, { timeoutMs }) => this.ask(at(host), { kind, body, timeoutMs }, life),
    };
  }

  private ask(
    host: SimHost | undefined,
    { kind, body, timeoutMs }: Introduction,
    life: Life,
  ): Promise<Uint8Array> {
    const { world, random } = this.options;
    const { scheduler } = world;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new StateError('timeout', 'No answer.'));
      scheduler.after(timeoutMs, 'an introduction times out', late, life);
      const target = host?.life;
      if (host === undefined || target === undefined || !host.isUp) return late();
      const later = (what: string, act: () => void, whose: Life): void =>
        void scheduler.after(random.between(0.5, 20), what, act, whose);
      later(
        'an introduction arrives',
        () => {
          if (!host.isUp) return;
          host.node!.answerStranger(kind, body).then(
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
