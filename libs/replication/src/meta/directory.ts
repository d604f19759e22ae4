import { commitSeq, type ChangeBatch, type CommitSeq, type GroupId, type MemberId } from '#contracts';
import { evaluateRead, type StateReader } from '#state-machine';
import { DEFAULT_GROUP } from '../default-group';
import type { FoundingMember } from '../identity';
import { placementName } from '../routing';
import {
  META_NAMESPACES,
  REMOVALS_MARK,
  groupDocument,
  namespaceDocument,
  nodeDocument,
  parseStored,
  type GroupDocument,
  type NamespaceDocument,
  type NodeDocument,
} from './documents';

/** A document with the version to compare against when it is changed. */
export type Versioned<Document> = Document & { readonly version: CommitSeq };

/**
 * The meta group's documents as this node's replica last applied them, in memory. It may lag behind the leader:
 * decisions taken on it are compared-and-set, and routes taken from it are refused by the group when stale.
 */
export class Directory {
  private nodesByMember = new Map<MemberId, Versioned<NodeDocument>>();
  private groupsById = new Map<GroupId, Versioned<GroupDocument>>();
  private readonly namespacesByName = new Map<string, Versioned<NamespaceDocument>>();
  private readonly unsettledNames = new Set<string>();
  private readonly indexedNames = new Set<string>();
  private removalsVersion: CommitSeq | undefined;

  get nodes(): ReadonlyMap<MemberId, Versioned<NodeDocument>> {
    return this.nodesByMember;
  }

  get groups(): ReadonlyMap<GroupId, Versioned<GroupDocument>> {
    return this.groupsById;
  }

  /** The namespaces that were configured, also those whose settings were taken back. */
  get namespaces(): ReadonlyMap<string, Versioned<NamespaceDocument>> {
    return this.namespacesByName;
  }

  /** Version of {@link REMOVALS_MARK}: another one since the last node that was about to go. */
  get removals(): CommitSeq | undefined {
    return this.removalsVersion;
  }

  /** Those that are on their way to another group, or have left bytes behind. */
  *unsettled(): Generator<Versioned<NamespaceDocument>> {
    for (const ns of this.unsettledNames) {
      const document = this.namespacesByName.get(ns);
      if (document !== undefined) yield document;
    }
  }

  /** Namespaces whose settings ask for indexes. */
  get indexed(): ReadonlySet<string> {
    return this.indexedNames;
  }

  /** Nodes that hold a replica of a group, as far as this node knows: at first, the first members. */
  holdersOf(group: GroupId, founders: readonly FoundingMember[]): readonly MemberId[] {
    return this.groupsById.get(group)?.voters ?? founders.map(({ member }) => member);
  }

  /**
   * Name of the placement that a group's namespaces are in: the same on every node, and another one for others.
   * `undefined` of a group that this node knows nothing of: what it holds may be told to nobody.
   */
  placementOf(group: GroupId): string | undefined {
    const document = this.groupsById.get(group);
    if (document === undefined && group !== DEFAULT_GROUP) return undefined;
    return placementName(document?.regions);
  }

  /** The member id that a node of this name has now. */
  activeByName(name: string): Versioned<NodeDocument> | undefined {
    for (const node of this.nodesByMember.values()) {
      if (node.name === name && node.state !== 'removed') return node;
    }
    return undefined;
  }

  /** Reads everything again. */
  refresh(reader: StateReader): void {
    this.refreshNodesAndGroups(reader);
    this.namespacesByName.clear();
    this.unsettledNames.clear();
    this.indexedNames.clear();
    this.removalsVersion = undefined;
    for (const stored of rows(reader, META_NAMESPACES.namespaces)) this.takeNamespace(stored);
  }

  /**
   * Follows what was just applied: nodes and groups are few and read again, namespaces may be many. Returns the
   * namespaces that are served by another group than before.
   */
  follow(reader: StateReader, changes: readonly ChangeBatch[]): ReadonlySet<string> {
    const moved = new Set<string>();
    if (changes.some(({ ns }) => ns !== META_NAMESPACES.namespaces)) this.refreshNodesAndGroups(reader);
    for (const { ns, events } of changes) {
      if (ns !== META_NAMESPACES.namespaces) continue;
      for (const { id, object } of events) {
        if (object === undefined) continue;
        const before = this.namespacesByName.get(id)?.group ?? DEFAULT_GROUP;
        if (this.takeNamespace(parseStored(object)).group !== before) moved.add(id);
      }
    }
    return moved;
  }

  private takeNamespace(stored: ReturnType<typeof parseStored>): NamespaceDocument {
    const document = { ...namespaceDocument(stored), version: commitSeq(stored.commit_seq) };
    if (document.ns === REMOVALS_MARK) {
      this.removalsVersion = document.version;
      return document;
    }
    this.namespacesByName.set(document.ns, document);
    const { movingTo, erasing, scrubbing } = document;
    if (movingTo !== undefined || erasing.length + scrubbing.length > 0) this.unsettledNames.add(document.ns);
    else this.unsettledNames.delete(document.ns);
    if (document.settings.indexes.length > 0) this.indexedNames.add(document.ns);
    else this.indexedNames.delete(document.ns);
    return document;
  }

  private refreshNodesAndGroups(reader: StateReader): void {
    this.nodesByMember = new Map(
      rows(reader, META_NAMESPACES.nodes).map((stored) => {
        const node = { ...nodeDocument(stored), version: commitSeq(stored.commit_seq) };
        return [node.member, node];
      }),
    );
    this.groupsById = new Map(
      rows(reader, META_NAMESPACES.groups).map((stored) => {
        const group = { ...groupDocument(stored), version: commitSeq(stored.commit_seq) };
        return [group.group, group];
      }),
    );
  }
}

const PAGE_ROWS = 1_000;

function rows(reader: StateReader, ns: string): ReturnType<typeof parseStored>[] {
  const found: ReturnType<typeof parseStored>[] = [];
  let cursor: string | undefined;
  do {
    const page = evaluateRead(reader, { kind: 'list', ns, limit: PAGE_ROWS, cursor }, 0);
    if (page.kind !== 'page') throw new Error(`meta state: listing ${ns} gave ${page.kind}`);
    for (const json of page.objects) found.push(parseStored(json));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}
