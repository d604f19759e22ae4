import { StateError, memberId, type NodeName } from '#contracts';
import type { Digest } from '#state-machine';
import {
  decodeBody,
  encodeBody,
  type FormAnswer,
  type FormQuestion,
  type JoinAnswer,
  type JoinQuestion,
} from './cluster-bodies';
import type { FoundingMember, NodeIdentity } from './identity';
import { PeerKind } from './peers/peer-kinds';
import type { Clock } from './ports';

/** A first member as the operator wrote it down. */
export interface ConfiguredNode {
  readonly name: NodeName;
  readonly host: string;
  readonly port: number;
  readonly region: string;
}

/** Questions to addresses, before there are members. */
export interface Introductions {
  ask(
    address: { readonly host: string; readonly port: number },
    kind: number,
    body: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<Uint8Array>;
}

export interface FormationOptions {
  readonly name: NodeName;
  readonly incarnation: string;
  readonly nodes: readonly ConfiguredNode[];
  readonly introductions: Introductions;
  readonly clock: Clock;
  readonly digest: Digest;
  /** Says what is being waited for, when that changes. */
  readonly onProgress: (what: string) => void;
  readonly stopped: () => boolean;
}

const ASK_TIMEOUT_MS = 2_000;
const ASK_AGAIN_MS = 250;
const FORM_FIELDS = { name: 'string', incarnation: 'string', nodes: 'object' } as const;
const JOIN_FIELDS = { clusterId: 'string', member: 'number', peers: 'object' } as const;

/** The cluster exists and knows another disk under this node's name: it may only come back as a new member. */
export class KnownUnderAnotherDisk extends Error {
  constructor(readonly nodeName: NodeName) {
    super(`the cluster has a node ${nodeName} with another disk`);
  }
}

/**
 * The first boot of a cluster. Every first member must have met every other before any of them votes: each has made
 * a random incarnation on its disk, and the cluster is the set of these. So a node whose disk was emptied cannot
 * begin again under its old id: the others know its incarnation, and it has none of what it promised.
 */
export class Formation {
  private readonly met = new Map<NodeName, string>();

  constructor(private readonly options: FormationOptions) {
    this.met.set(options.name, options.incarnation);
  }

  /** This node's answer to another first member; `formed` once it has an identity. */
  answer(question: Uint8Array, identity: NodeIdentity | undefined): Uint8Array {
    const { name, nodes } = decodeBody<FormQuestion>(question, FORM_FIELDS);
    if (nodes.join() !== nodeList(this.options.nodes).join()) throw differentNodes(this.options.name, name);
    return encodeBody({
      name: this.options.name,
      incarnation: this.options.incarnation,
      nodes: nodeList(this.options.nodes),
      formed: identity && { clusterId: identity.clusterId, founders: identity.founders },
    });
  }

  /** Meets the others, however long that takes, and returns the identity that all of them come to. */
  async run(): Promise<NodeIdentity> {
    const { nodes, clock, onProgress } = this.options;
    let waitingFor = '';
    for (;;) {
      if (this.options.stopped()) throw new StateError('draining', 'The node is stopping.');
      for (const node of nodes) {
        if (this.met.has(node.name)) continue;
        const formed = await this.meet(node);
        if (formed !== undefined) return formed;
      }
      if (this.met.size === nodes.length) return this.identity(this.founders());
      const missing = nodes.filter(({ name }) => !this.met.has(name)).map(({ name }) => name);
      if (missing.join(', ') !== waitingFor)
        onProgress(`waiting to meet ${(waitingFor = missing.join(', '))}`);
      await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
    }
  }

  private async meet(node: ConfiguredNode): Promise<NodeIdentity | undefined> {
    const { introductions, name, incarnation, nodes } = this.options;
    const question = encodeBody({ name, incarnation, nodes: nodeList(nodes) });
    let answer: FormAnswer;
    try {
      const body = await introductions.ask(node, PeerKind.form, question, { timeoutMs: ASK_TIMEOUT_MS });
      answer = decodeBody<FormAnswer>(body, FORM_FIELDS);
    } catch (error) {
      if (error instanceof StateError && error.code === 'conflict') throw error;
      return undefined;
    }
    if (answer.name !== node.name) {
      throw new StateError(
        'conflict',
        `CLUSTER_NODES says ${node.name} is at ${node.host}:${node.port}, but ${answer.name} answers there.`,
      );
    }
    if (answer.formed === undefined) {
      this.met.set(node.name, answer.incarnation);
      return undefined;
    }
    const self = answer.formed.founders.find((founder) => founder.name === name);
    if (self?.incarnation !== incarnation) throw new KnownUnderAnotherDisk(name);
    return this.identity(this.withOwnAddresses(answer.formed.founders));
  }

  private withOwnAddresses(founders: readonly FoundingMember[]): readonly FoundingMember[] {
    return founders.map((founder) => {
      const own = this.options.nodes.find(({ name }) => name === founder.name);
      return own === undefined ? founder : { ...founder, host: own.host, port: own.port };
    });
  }

  private founders(): readonly FoundingMember[] {
    return sorted(this.options.nodes).map((node, at) => ({
      ...node,
      member: memberId(at + 1),
      incarnation: this.met.get(node.name) ?? '',
    }));
  }

  private identity(founders: readonly FoundingMember[]): NodeIdentity {
    const { name, incarnation, digest } = this.options;
    const self = founders.find((founder) => founder.name === name);
    if (self === undefined)
      throw new StateError('conflict', `CLUSTER_NODES does not name this node, ${name}.`);
    const clusterId = digest(
      new TextEncoder().encode(founders.map((one) => `${one.name} ${one.incarnation}`).join('\n')),
    ).slice(0, 32);
    return { clusterId, member: self.member, name, incarnation, founders, founder: true, begun: false };
  }
}

/** Asks one address after the other to be let into a running cluster, until one of them does. */
export async function join(
  question: JoinQuestion,
  addresses: readonly { readonly host: string; readonly port: number }[],
  on: Pick<FormationOptions, 'introductions' | 'clock' | 'onProgress' | 'stopped'>,
): Promise<NodeIdentity> {
  let told = '';
  for (;;) {
    for (const address of addresses) {
      if (on.stopped()) throw new StateError('draining', 'The node is stopping.');
      try {
        const body = await on.introductions.ask(address, PeerKind.join, encodeBody(question), {
          timeoutMs: ASK_TIMEOUT_MS * 5,
        });
        const { clusterId, member, peers } = decodeBody<JoinAnswer>(body, JOIN_FIELDS);
        const { name, incarnation } = question;
        return {
          clusterId,
          member: memberId(member),
          name,
          incarnation,
          founders: peers,
          founder: false,
          begun: true,
        };
      } catch (error) {
        const why = `${address.host}:${address.port} did not let this node in: ${error instanceof Error ? error.message : String(error)}`;
        if (why !== told) on.onProgress((told = why));
      }
    }
    await new Promise<void>((resolve) => on.clock.after(ASK_AGAIN_MS * 4, resolve));
  }
}

function sorted(nodes: readonly ConfiguredNode[]): readonly ConfiguredNode[] {
  return [...nodes].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function nodeList(nodes: readonly ConfiguredNode[]): readonly string[] {
  // Addresses may differ: each node may reach the others in its own way.
  return sorted(nodes).map(({ name, region }) => `${name}@${region}`);
}

/** Read on either side, so it names both. */
function differentNodes(one: NodeName, other: NodeName): StateError {
  return new StateError(
    'conflict',
    `CLUSTER_NODES of ${one} and of ${other} differ; they must name the same nodes and regions.`,
  );
}
