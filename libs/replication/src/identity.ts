import type { MemberId, NodeName } from '#contracts';

/** A first member of a cluster, as all first members agreed on it. */
export interface FoundingMember {
  readonly member: MemberId;
  readonly name: NodeName;
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly incarnation: string;
}

/**
 * Who this node is, kept beside its data. A disk that lost it is another node: it has no vote to give under the
 * old id, and the others know its old incarnation.
 */
export interface NodeIdentity {
  readonly clusterId: string;
  readonly member: MemberId;
  readonly name: NodeName;
  readonly incarnation: string;
  /** The first members; a node that joined later keeps them as the addresses to begin with. */
  readonly founders: readonly FoundingMember[];
  /** Whether this node is one of them, and so begins the first groups itself. */
  readonly founder: boolean;
  /** The first groups are on disk: from here on the log says which groups there are. */
  readonly begun: boolean;
}

/** Where the identity is kept. */
export interface IdentityStore {
  load(): Promise<NodeIdentity | undefined>;
  /** Resolves when the identity survives a crash; a crash before leaves the old one whole. */
  save(identity: NodeIdentity): Promise<void>;
}
