import { CodecError, decodeUtf8 } from '#codec';
import type { GroupId, MemberId, NodeName } from '#contracts';
import type { FoundingMember } from './identity';
import type { NodeDocument } from './meta/documents';
import type { SnapshotPart } from './named-snapshots/archive';
import type { NodeStatus } from './node-status';

/**
 * What nodes say to each other about the cluster itself. Rare and small, so it is JSON; whoever reads it checks the
 * form first, because a node of another version may have written it.
 */

/** A first member asks each other first member who it is (`PeerKind.form`). */
export interface FormQuestion {
  readonly name: NodeName;
  readonly incarnation: string;
  /** The first members as configured, in the order of their names: all must have the same. */
  readonly nodes: readonly string[];
}

export interface FormAnswer {
  readonly name: NodeName;
  readonly incarnation: string;
  readonly nodes: readonly string[];
  /** The cluster, if the asked node has begun it already. */
  readonly formed?: { readonly clusterId: string; readonly founders: readonly FoundingMember[] };
}

/** A node asks to become a member (`PeerKind.join`). */
export interface JoinQuestion {
  readonly name: NodeName;
  readonly incarnation: string;
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly httpUrl: string;
}

export interface JoinAnswer {
  readonly clusterId: string;
  readonly member: MemberId;
  /** Members to begin with, until the meta group has told the newcomer of all. */
  readonly peers: readonly FoundingMember[];
}

/** Asks the leader of a group to hand over (`PeerKind.transfer`). */
export interface TransferQuestion {
  readonly group: GroupId;
  readonly to: MemberId;
}

/** What a node answers to `PeerKind.nodes`: the documents of all nodes, as its copy has them. */
export interface KnownNodes {
  readonly nodes: readonly NodeDocument[];
}

/** Asks what the cluster holds of a node (`PeerKind.standing`). */
export interface StandingQuestion {
  readonly member: MemberId;
  readonly incarnation: string;
}

export interface StandingAnswer {
  /** `unknown` also for a member of another incarnation. */
  readonly state: NodeDocument['state'] | 'unknown';
}

/** Asks a node for its part of a named snapshot (`PeerKind.snapshotPart`). */
export interface PartQuestion {
  readonly snapshotId: string;
  readonly group: GroupId;
}

export interface PartAnswer {
  /** `null` when it is not there, or not there yet. */
  readonly part: SnapshotPart | null;
}

type Body =
  | FormQuestion
  | FormAnswer
  | JoinQuestion
  | JoinAnswer
  | NodeStatus
  | TransferQuestion
  | KnownNodes
  | StandingQuestion
  | StandingAnswer
  | PartQuestion
  | PartAnswer;

export function encodeBody(body: Body): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

/** Parses a body and checks that these fields have these types; throws {@link CodecError} on anything else. */
export function decodeBody<Body>(
  bytes: Uint8Array,
  fields: Readonly<Record<string, 'string' | 'number' | 'object'>>,
): Body {
  const body = parseJson(bytes) as Record<string, unknown>;
  if (typeof body !== 'object' || body === null) throw new CodecError('a peer sent a body that is no object');
  for (const [field, type] of Object.entries(fields)) {
    if (typeof body[field] !== type || body[field] === null)
      throw new CodecError(`a peer sent no ${field} of type ${type}`);
  }
  return body as Body;
}

/** Throws {@link CodecError} on bytes that are no JSON text. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('a body that is no JSON');
  }
}
