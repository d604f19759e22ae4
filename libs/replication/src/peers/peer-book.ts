import type { MemberId } from '#contracts';
import type { NodeIdentity } from '../identity';
import type { Directory } from '../meta/directory';
import type { MetaWriter } from '../meta/meta-writer';
import type { Network } from '../ports';

/** Where others reach this node. */
export interface NodeAddress {
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly httpUrl: string;
}

export interface PeerBookOptions {
  readonly identity: NodeIdentity;
  readonly directory: Directory;
  readonly network: Network;
  readonly address: NodeAddress;
  readonly addressOverrides: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
}

/**
 * Who the other nodes are and where: the meta group's documents, the founders until those are known, and the
 * addresses that the operator gave this node itself, which win.
 */
export class PeerBook {
  constructor(private readonly options: PeerBookOptions) {}

  /** Whether a peer that has proven the secret is who the cluster knows under its member id. */
  knows(peer: { readonly memberId: MemberId; readonly incarnation: string }): 'known' | 'unknown' | 'stale' {
    const { directory, identity } = this.options;
    const documented = directory.nodes.get(peer.memberId);
    const founder = identity.founders.find(({ member }) => member === peer.memberId);
    const known = documented ?? founder;
    if (known === undefined || documented?.state === 'removed') return 'unknown';
    return known.incarnation === peer.incarnation ? 'known' : 'stale';
  }

  /** Links to everyone who is there now, and to nobody else. */
  connect(): void {
    const { directory, identity, network, addressOverrides } = this.options;
    const nodes = [...directory.nodes.values()].filter(({ state }) => state !== 'removed');
    const peers = nodes.length > 0 ? nodes : identity.founders;
    network.setPeers(
      peers
        .filter(({ member }) => member !== identity.member)
        .map(({ member, name, region, host, port }) => {
          const reach = addressOverrides.get(name) ?? { host, port };
          return { member, name, region, host: reach.host, port: reach.port };
        }),
    );
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
