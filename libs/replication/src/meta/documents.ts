import { groupId, memberId, type GroupId, type MemberId, type NodeName } from '#contracts';

/**
 * What the meta group remembers, as ordinary objects in reserved namespaces of its own state machine: so they are
 * replicated, versioned, compared-and-set and watched like everything else. No object, id or tag of a client is
 * ever among them.
 */
export const META_NAMESPACES = {
  nodes: 'admin://nodes',
  groups: 'admin://groups',
} as const;

/** A node by its member id. Documents are never deleted: that is how ids are never given out twice. */
export interface NodeDocument {
  readonly member: MemberId;
  readonly name: NodeName;
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly httpUrl: string;
  /** Made at random when the node's disk was first written: an emptied disk has another one. */
  readonly incarnation: string;
  /** `leaving`: it gives its replicas up; `removed`: it never comes back under this id. */
  readonly state: 'active' | 'leaving' | 'removed';
}

/** A replication group and who should hold it; its leader works towards this, one safe step at a time. */
export interface GroupDocument {
  readonly group: GroupId;
  /** Regions that may hold it; `undefined` for any. */
  readonly regions: readonly string[] | undefined;
  readonly replicas: number;
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

export function nodeBody(node: NodeDocument): string {
  const { name, region, host, port, httpUrl, incarnation, state } = node;
  return JSON.stringify({ name, region, host, port, http_url: httpUrl, incarnation, state });
}

export function groupBody(group: GroupDocument): string {
  const { regions, replicas, voters, learners } = group;
  return JSON.stringify({ regions: regions ?? null, replicas, voters, learners });
}

interface StoredObject {
  readonly id: string;
  readonly commit_seq: number;
  readonly body: Record<string, unknown>;
}

export function parseStored(json: Uint8Array): StoredObject {
  return JSON.parse(new TextDecoder().decode(json)) as StoredObject;
}

export function nodeDocument({ id, body }: StoredObject): NodeDocument {
  return {
    member: memberId(Number(id)),
    name: body['name'] as NodeName,
    region: body['region'] as string,
    host: body['host'] as string,
    port: body['port'] as number,
    httpUrl: body['http_url'] as string,
    incarnation: body['incarnation'] as string,
    state: body['state'] as NodeDocument['state'],
  };
}

export function groupDocument({ id, body }: StoredObject): GroupDocument {
  return {
    group: groupId(Number(id)),
    regions: (body['regions'] as string[] | null) ?? undefined,
    replicas: body['replicas'] as number,
    voters: body['voters'] as MemberId[],
    learners: body['learners'] as MemberId[],
  };
}
