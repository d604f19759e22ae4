import { groupId, memberId, type GroupId, type LogIndex, type MemberId, type NodeName } from '#contracts';
import { DEFAULT_GROUP } from '../default-group';

/**
 * What the meta group remembers, as ordinary objects in reserved namespaces of its own state machine: so they are
 * replicated, versioned, compared-and-set and watched like everything else. No object, id or tag of a client is
 * ever among them.
 */
export const META_NAMESPACES = {
  nodes: 'admin://nodes',
  groups: 'admin://groups',
  namespaces: 'admin://namespaces',
} as const;

/**
 * Kept beside the documents of namespaces, and written again whenever a node is about to go. Where a namespace is
 * placed is decided from the nodes, which are documents elsewhere; so it is written only while this one is still
 * what it was when the nodes were read. To releases that know nothing of it, it is a namespace without settings.
 */
export const REMOVALS_MARK = 'admin://nodes';

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
  /** Non-voting replicas to read from, by region. */
  readonly readReplicas: Readonly<Record<string, number>>;
  /** How far back its history reaches; `undefined` for what each node is configured with. */
  readonly retention: Retention;
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  /**
   * Who begins the group, all in the same state, while it is forming. Whoever comes later joins it by its leader: a
   * member that began a group twice could vote away what the group has acknowledged.
   */
  readonly founders: readonly MemberId[];
  readonly forming: boolean;
}

export interface Retention {
  readonly seconds: number | undefined;
  readonly commits: number | undefined;
}

/** What an operator asks for a namespace; what is `undefined` is as for a namespace that nobody configured. */
export interface NamespaceSettings {
  readonly regions: readonly string[] | undefined;
  readonly replicas: number | undefined;
  readonly readReplicas: Readonly<Record<string, number>>;
  /** Requests a second at each node, and bytes of one request's body. */
  readonly maxQps: number | undefined;
  readonly maxBytes: number | undefined;
  readonly retention: Retention;
  /** Places in the bodies of its objects that have indexes, as singular JSONPaths. */
  readonly indexes: readonly string[];
}

/** A namespace that was configured, by its name. Documents are never deleted: generations only grow. */
export interface NamespaceDocument {
  readonly ns: string;
  readonly settings: NamespaceSettings;
  /** Its settings were taken back: it is as if nobody had configured it. */
  readonly dropped: boolean;
  /** Where it is served, and how often that has changed. */
  readonly group: GroupId;
  readonly generation: number;
  /** Where it is on its way to; it gets there at the next generation. */
  readonly movingTo: GroupId | undefined;
  /** Groups that served it once and may still hold bytes of it. */
  readonly erasing: readonly GroupId[];
  /** Groups that hold no row of it any more, while files of their members may still hold bytes of it. */
  readonly scrubbing: readonly Scrubbing[];
}

/** What is to go from the disks of a group's members: all that its log has removed up to this entry. */
export interface Scrubbing {
  readonly group: GroupId;
  readonly index: LogIndex;
}

export const NO_SETTINGS: NamespaceSettings = {
  regions: undefined,
  replicas: undefined,
  readReplicas: {},
  maxQps: undefined,
  maxBytes: undefined,
  retention: { seconds: undefined, commits: undefined },
  indexes: [],
};

/** What a namespace is that nobody has configured yet. */
export function neverPlaced(ns: string): NamespaceDocument {
  return {
    ns,
    settings: NO_SETTINGS,
    dropped: false,
    group: DEFAULT_GROUP,
    generation: 0,
    movingTo: undefined,
    erasing: [],
    scrubbing: [],
  };
}

export function nodeBody(node: NodeDocument): string {
  const { name, region, host, port, httpUrl, incarnation, state } = node;
  return JSON.stringify({ name, region, host, port, http_url: httpUrl, incarnation, state });
}

export function groupBody(group: GroupDocument): string {
  const { regions, replicas, readReplicas, retention, voters, learners, founders, forming } = group;
  return JSON.stringify({
    regions: regions ?? null,
    replicas,
    read_replicas: readReplicas,
    retention,
    voters,
    learners,
    founders,
    forming,
  });
}

export function namespaceBody(document: NamespaceDocument): string {
  const { settings, dropped, group, generation, movingTo, erasing, scrubbing } = document;
  const moving_to = movingTo ?? null;
  return JSON.stringify({ settings, dropped, group, generation, moving_to, erasing, scrubbing });
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
    readReplicas: body['read_replicas'] as Record<string, number>,
    retention: retentionOf(body['retention']),
    voters: body['voters'] as MemberId[],
    learners: body['learners'] as MemberId[],
    founders: body['founders'] as MemberId[],
    forming: body['forming'] as boolean,
  };
}

export function namespaceDocument({ id, body }: StoredObject): NamespaceDocument {
  const settings = body['settings'] as NamespaceSettings;
  return {
    ns: id,
    settings: { ...NO_SETTINGS, ...settings, retention: retentionOf(settings.retention) },
    dropped: body['dropped'] as boolean,
    group: groupId(body['group'] as number),
    generation: body['generation'] as number,
    movingTo: body['moving_to'] === null ? undefined : groupId(body['moving_to'] as number),
    erasing: body['erasing'] as GroupId[],
    scrubbing: (body['scrubbing'] as Scrubbing[] | undefined) ?? [],
  };
}

function retentionOf(stored: unknown): Retention {
  const { seconds, commits } = stored as Partial<Retention>;
  return { seconds, commits };
}
