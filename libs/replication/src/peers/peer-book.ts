import type { MemberId } from '#contracts';
import { decodeBody, encodeBody, type KnownNodes } from '../cluster-bodies';
import type { NodeDocument } from '../meta/documents';
import type { MetaWriter } from '../meta/meta-writer';
import type { Network } from '../ports';
import { PeerKind } from './peer-kinds';
import { Standing, type StandingOptions } from './standing';

/** Where others reach this node. */
export interface NodeAddress {
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly httpUrl: string;
}

export interface PeerBookOptions extends StandingOptions {
  readonly network: Network;
  readonly address: NodeAddress;
}

const ASK_TIMEOUT_MS = 1_000;

/** `former`: was a member and is removed. `stale`: under a member's id with another disk. */
export type PeerStanding = 'known' | 'unknown' | 'stale' | 'former';

/**
 * Who the other nodes are and where: the meta group's documents, the founders until those are known, and the
 * addresses that the operator gave this node itself, which win.
 */
export class PeerBook {
  /** Nodes that others told of and that this node's own copy of the documents does not have yet. */
  private readonly heardOf = new Map<MemberId, NodeDocument>();

  /** Whether this node, and who asks it, still are members. */
  readonly standing: Standing;

  constructor(private readonly options: PeerBookOptions) {
    this.standing = new Standing(options);
  }

  /** Whether a peer that has proven the secret is who the cluster knows under its member id. */
  knows(peer: { readonly memberId: MemberId; readonly incarnation: string }): PeerStanding {
    const { directory, identity } = this.options;
    const documented = directory.nodes.get(peer.memberId);
    const founder = identity.founders.find(({ member }) => member === peer.memberId);
    const known = documented ?? this.heardOf.get(peer.memberId) ?? founder;
    if (known === undefined) return 'unknown';
    if (known.incarnation !== peer.incarnation) return documented?.state === 'removed' ? 'unknown' : 'stale';
    return documented?.state === 'removed' ? 'former' : 'known';
  }

  /** Links to everyone who is there now, and to nobody else. */
  connect(): void {
    const { directory, identity, network, addressOverrides } = this.options;
    const nodes = [...directory.nodes.values()].filter(({ state }) => state !== 'removed');
    const news = [...this.heardOf.values()].filter(({ member }) => !directory.nodes.has(member));
    const peers = [...(nodes.length > 0 ? nodes : identity.founders), ...news];
    network.setPeers(
      peers
        .filter(({ member }) => member !== identity.member)
        .map(({ member, name, region, host, port }) => {
          const reach = addressOverrides.get(name) ?? { host, port };
          return { member, name, region, host: reach.host, port: reach.port };
        }),
    );
  }

  /** What this node answers to another one's {@link askAround}. */
  answer(): Uint8Array {
    return encodeBody({ nodes: [...this.options.directory.nodes.values()] });
  }

  /**
   * For while the meta group has no leader here: finds out whether this node still is a member, and asks the nodes that it
   * knows for those that it does not. A node that was away while others joined, and while leadership of the meta group
   * went to one of them, would otherwise refuse the only one that can tell it: what it would learn from the leader, it
   * has to learn from its peers.
   */
  async askAround(): Promise<void> {
    this.standing.look();
    const { directory, identity, network } = this.options;
    const known = directory.nodes.size > 0 ? [...directory.nodes.values()] : identity.founders;
    const connected = known.filter(({ member }) => member !== identity.member && network.connected(member));
    const answers = await Promise.all(
      connected.map(({ member }) =>
        network
          .request(member, PeerKind.nodes, new Uint8Array(0), { timeoutMs: ASK_TIMEOUT_MS })
          .then((body) => decodeBody<KnownNodes>(body, { nodes: 'object' }).nodes)
          .catch((): KnownNodes['nodes'] => []),
      ),
    );
    const news = answers
      .flat()
      .filter(({ member, state }) => state !== 'removed' && !directory.nodes.has(member))
      .filter(({ member }) => !this.heardOf.has(member));
    for (const node of news) this.heardOf.set(node.member, node);
    if (news.length > 0) this.connect();
  }

  /** Writes where this node can be reached into its own document, when that has changed. */
  async announce(writer: MetaWriter): Promise<void> {
    const { directory, identity, address } = this.options;
    const self = directory.nodes.get(identity.member);
    if (self === undefined || self.state !== 'active') return;
    const { host, port, region, httpUrl } = address;
    const same =
      self.host === host && self.port === port && self.region === region && self.httpUrl === httpUrl;
    if (!same) await writer.writeNodes([{ ...self, host, port, region, httpUrl }]);
  }
}
