import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ClusterNode } from './cluster-node';
import { freePorts } from './free-ports';
import type { AnnouncedVersions } from './hello-rewriter';
import { LinkRelay } from './link-relay';
import { until } from './until';

export interface ClusterOptions {
  readonly nodes: number;
  /** The region of each node, in their order; without it all are in one. */
  readonly regions?: readonly string[];
  /** Added to, or put over, the environment of every node. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What nodes of a region get beside it. */
  readonly environmentOf?: (region: string) => Readonly<Record<string, string>>;
  /** The folder of a node, where the test wants a special one. */
  readonly dataDir?: (name: string) => string | undefined;
  /** The test starts the nodes itself. */
  readonly isStartedByTest?: boolean;
}

/**
 * Real processes that form a cluster on the loopback. Each node is told of the others by the ports of relays of its
 * own, so that any link can be cut in either direction.
 */
export class Cluster {
  readonly nodes: ClusterNode[] = [];
  /** `a>b`: the relay that node a takes for node b. */
  private readonly relays = new Map<string, LinkRelay>();
  private readonly endings: (() => void)[] = [];
  private readonly secret = randomBytes(24).toString('base64');

  private constructor(
    readonly folder: string,
    private readonly options: ClusterOptions,
  ) {}

  /** Runs `test` on a new cluster. Whatever happens, nothing is left; a failure shows the nodes' logs. */
  static async with(options: ClusterOptions, test: (cluster: Cluster) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-cluster-'));
    const cluster = new Cluster(folder, options);
    try {
      await cluster.begin();
      await test(cluster);
    } catch (error) {
      if (error instanceof Error) {
        error.message += `\n${cluster.nodes.map((node) => node.tail).join('\n')}`;
        error.stack = `${error.message}\n${error.stack ?? ''}`;
      }
      throw error;
    } finally {
      for (const end of cluster.endings) end();
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      await Promise.all([...cluster.relays.values()].map((relay) => relay.close()));
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What uses the cluster ends with it, also after a failure. */
  atEnd(end: () => void): void {
    this.endings.push(end);
  }

  node(name: string): ClusterNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** The nodes whose processes run. */
  get up(): readonly ClusterNode[] {
    return this.nodes.filter((node) => node.isUp);
  }

  others(node: ClusterNode): readonly ClusterNode[] {
    return this.nodes.filter((other) => other !== node);
  }

  /** The node that leads a group: of those that say so, the one with the newest term. */
  async leader(group = 1, among: () => readonly ClusterNode[] = () => this.up): Promise<ClusterNode> {
    return until('a leader', async () => {
      const sights = await Promise.all(
        among().map(async (node) => ({ node, sight: await node.group(group) })),
      );
      const leaders = sights.filter(({ sight }) => sight?.isLeader);
      leaders.sort((left, right) => (right.sight?.term ?? 0) - (left.sight?.term ?? 0));
      return leaders[0]?.node;
    });
  }

  async followers(): Promise<readonly ClusterNode[]> {
    return this.others(await this.leader());
  }

  /** Cuts what `from` sends to `to`; `to` may still send to `from`. */
  cut(from: ClusterNode, to: ClusterNode, how?: { readonly reset?: boolean }): void {
    this.relay(from, to).cut(how);
  }

  cutBoth(one: ClusterNode, other: ClusterNode, how?: { readonly reset?: boolean }): void {
    this.cut(one, other, how);
    this.cut(other, one, how);
  }

  /** Cuts a node off from all others. */
  isolate(node: ClusterNode, how?: { readonly reset?: boolean }): void {
    for (const other of this.others(node)) this.cutBoth(node, other, how);
  }

  slowDown(delayMs: number): void {
    for (const relay of this.relays.values()) relay.slowDown(delayMs);
  }

  heal(): void {
    for (const relay of this.relays.values()) relay.heal();
  }

  /** To all others the node seems to be of a release that speaks these versions of the protocol, and no other. */
  announceVersions(node: ClusterNode, versions: AnnouncedVersions | undefined): void {
    for (const other of this.others(node)) {
      this.relay(node, other).announce('dialer', versions);
      this.relay(other, node).announce('target', versions);
    }
  }

  regionOf(node: ClusterNode): string {
    return this.options.regions?.[this.nodes.indexOf(node)] ?? 'local';
  }

  /** Calls `found` with the way when these bytes pass from or to one of the nodes, on links that any node dials. */
  searchLinks(outside: readonly ClusterNode[], wanted: Buffer, found: (way: string) => void): void {
    for (const [way, relay] of this.relays) {
      if (outside.some(({ name }) => way.split('>').includes(name)))
        relay.searchFor(wanted, () => found(way));
    }
  }

  /** Resolves when every node that runs is ready. */
  async ready(): Promise<void> {
    await until('all nodes to be ready', async () => {
      const answers = await Promise.all(
        this.up.map((node) =>
          fetch(`${node.url}/ready`).then(
            (response) => response.status === 200,
            () => false,
          ),
        ),
      );
      return answers.every(Boolean);
    });
  }

  /** Resolves when every node that runs has applied all that any of them has committed at the call. */
  async converged(): Promise<void> {
    const sights = await Promise.all(this.up.map((node) => node.group()));
    const commit = Math.max(...sights.map((sight) => sight?.commit ?? 0));
    await Promise.all(this.up.map((node) => node.reaches(commit)));
  }

  /** A further node that joins through the others. It is not started yet. */
  async newcomer(name: string): Promise<ClusterNode> {
    const [http, admin, peer] = (await freePorts(3)) as [number, number, number];
    const join = this.nodes.map((node) => `127.0.0.1:${node.ports.peer}`).join();
    const node = new ClusterNode(
      name,
      await this.dataDir(name),
      { http, admin, peer },
      {
        ...this.environment(name, { http, admin, peer }),
        CLUSTER_JOIN: join,
      },
    );
    this.nodes.push(node);
    return node;
  }

  private async begin(): Promise<void> {
    const names = Array.from({ length: this.options.nodes }, (_, at) => `node-${at + 1}`);
    const ports = await freePorts(3 * names.length);
    const portsOf = (at: number) => {
      const [http = 0, admin = 0, peer = 0] = ports.slice(3 * at);
      return { http, admin, peer };
    };
    const regionOf = (at: number): string => this.options.regions?.[at] ?? 'local';
    for (const [at, name] of names.entries()) {
      const told = await Promise.all(
        names.map(async (other, otherAt) => {
          const { peer } = portsOf(otherAt);
          if (other === name) return `${other}=127.0.0.1:${peer}@${regionOf(otherAt)}`;
          const relay = await LinkRelay.open(peer);
          this.relays.set(`${name}>${other}`, relay);
          return `${other}=127.0.0.1:${relay.port}@${regionOf(otherAt)}`;
        }),
      );
      this.nodes.push(
        new ClusterNode(name, await this.dataDir(name), portsOf(at), {
          ...this.environment(name, portsOf(at)),
          ...this.options.environmentOf?.(regionOf(at)),
          CLUSTER_NODES: told.join(),
        }),
      );
    }
    if (!this.options.isStartedByTest) await Promise.all(this.nodes.map((node) => node.start()));
  }

  private async dataDir(name: string): Promise<string> {
    const folder = this.options.dataDir?.(name) ?? path.join(this.folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  private environment(
    name: string,
    { http, admin, peer }: ClusterNode['ports'],
  ): Readonly<Record<string, string>> {
    return {
      NODE_ID: name,
      HTTP_PORT: `${http}`,
      ADMIN_PORT: `${admin}`,
      PEER_HOST: '127.0.0.1',
      PEER_PORT: `${peer}`,
      CLUSTER_SECRET: this.secret,
      ...this.options.environment,
    };
  }

  private relay(from: ClusterNode, to: ClusterNode): LinkRelay {
    const relay = this.relays.get(`${from.name}>${to.name}`);
    if (relay === undefined) throw new Error(`there is no relay from ${from.name} to ${to.name}`);
    return relay;
  }
}
