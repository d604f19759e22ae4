import type { Command, Operation, PutOperation, QueryRequest, Tags } from '#contracts';

/** An object as the contract's section 3 shows it, without its digest. */
export interface ModelObject {
  readonly id: string;
  readonly ns: string;
  readonly type: string;
  readonly body: unknown;
  readonly tags: Tags;
  readonly ttl_seconds?: number;
  readonly expires_at?: string;
  readonly parents: readonly string[];
  readonly commit_seq: number;
  readonly created_seq: number;
  readonly ts: string;
}

export interface ModelEvent {
  readonly kind: 'put' | 'delete';
  readonly reason?: 'delete' | 'expired';
  readonly id: string;
  readonly object: ModelObject;
}

export interface ModelCommit {
  readonly ns: string;
  readonly seq: number;
  readonly prev: number;
  readonly tsMs: number;
  readonly events: readonly ModelEvent[];
}

/**
 * The second, dumb implementation of what a group's state does: maps, loops and sorting, no bytes and no indexes.
 * What the real one answers must be what this one answers.
 */
export class StateModel {
  commitSeq = 0;
  nowMs = 0;
  readonly commits: ModelCommit[] = [];
  private readonly namespaces = new Map<string, Map<string, ModelObject>>();
  private readonly compactedThrough = new Map<string, number>();
  private readonly lastCommit = new Map<string, number>();
  private historyFrom = 1;

  /** What the command comes to, as an error code or `done`, and the commits it made. */
  apply(
    command: Command,
    tsMs: number,
  ): { readonly outcome: string; readonly commits: readonly ModelCommit[] } {
    this.nowMs = Math.max(this.nowMs, tsMs);
    const before = this.commits.length;
    let outcome = 'done';
    if (command.kind === 'write') outcome = this.write(command.ns, command.operations);
    else if (command.kind === 'expire') this.expire(command.limit);
    const commits = this.commits.slice(before);
    if (command.kind === 'compact') this.compact(command);
    return { outcome, commits };
  }

  /** Live objects in id order. */
  list(ns: string, nowMs: number): ModelObject[] {
    return [...(this.namespaces.get(ns)?.values() ?? [])]
      .filter((object) => isLive(object, nowMs))
      .sort((left, right) => compareIds(left.id, right.id));
  }

  query(request: QueryRequest, nowMs: number): ModelObject[] {
    const found = this.list(request.ns, nowMs).filter(
      (object) =>
        object.id.startsWith(request.prefix ?? '') &&
        (request.type === undefined || object.type === request.type) &&
        Object.entries(request.tags ?? {}).every(
          ([key, value]) => Object.hasOwn(object.tags, key) && object.tags[key] === value,
        ),
    );
    if (request.order === 'id') return found;
    const place = (object: ModelObject): number => this.placeInCommit(object);
    found.sort((left, right) => left.commit_seq - right.commit_seq || place(left) - place(right));
    return request.order === 'commit_seq' ? found : found.reverse();
  }

  /** Commits of a namespace that are still held, from `from` on. */
  changes(ns: string, from: number): ModelCommit[] {
    const first = this.firstAvailable(ns);
    return this.commits.filter((commit) => commit.ns === ns && commit.seq >= Math.max(from, first));
  }

  firstAvailable(ns: string): number {
    return (this.compactedThrough.get(ns) ?? 0) + 1;
  }

  private write(ns: string, operations: readonly Operation[]): string {
    if (operations.length === 0) return 'invalid_request';
    if (new Set(operations.map(({ id }) => id)).size !== operations.length) return 'invalid_request';
    const objects = this.namespaces.get(ns) ?? new Map<string, ModelObject>();
    for (const operation of operations) {
      const stored = objects.get(operation.id);
      const current = stored && isLive(stored, this.nowMs) ? stored : undefined;
      if (operation.op === 'delete' && !current) return 'not_found';
      if (operation.ifNoneMatch && current) return 'precondition_failed';
      if (operation.ifMatch !== undefined && operation.ifMatch !== current?.commit_seq)
        return 'precondition_failed';
    }
    this.namespaces.set(ns, objects);
    const seq = ++this.commitSeq;
    const events = operations.map((operation): ModelEvent => {
      const { id } = operation;
      const stored = objects.get(id);
      if (operation.op === 'delete') {
        objects.delete(id);
        return { kind: 'delete', reason: 'delete', id, object: stored as ModelObject };
      }
      const createdSeq = stored && isLive(stored, this.nowMs) ? stored.created_seq : seq;
      const object = this.makeObject(ns, operation, seq, createdSeq);
      objects.set(id, object);
      return { kind: 'put', id, object };
    });
    this.record(ns, seq, events);
    return 'done';
  }

  private makeObject(ns: string, put: PutOperation, seq: number, createdSeq: number): ModelObject {
    const { id, type, tags, ttlSeconds, parents } = put;
    const lifetime =
      ttlSeconds === undefined
        ? {}
        : { ttl_seconds: ttlSeconds, expires_at: new Date(this.nowMs + ttlSeconds * 1000).toISOString() };
    const body: unknown = JSON.parse(put.bodyJson);
    const ts = new Date(this.nowMs).toISOString();
    return { id, ns, type, body, tags, ...lifetime, parents, commit_seq: seq, created_seq: createdSeq, ts };
  }

  private expire(limit: number): void {
    const due = [...this.namespaces.entries()]
      .flatMap(([ns, objects], number) => [...objects.values()].map((object) => ({ ns, number, object })))
      .filter(({ object }) => !isLive(object, this.nowMs))
      .sort(
        (left, right) =>
          expiresAtMs(left.object) - expiresAtMs(right.object) ||
          left.number - right.number ||
          compareIds(left.object.id, right.object.id),
      )
      .slice(0, limit);
    if (due.length === 0) return;
    const seq = ++this.commitSeq;
    const groups = new Map<string, ModelEvent[]>();
    for (const { ns, object } of due) {
      this.namespaces.get(ns)?.delete(object.id);
      const events = groups.get(ns) ?? [];
      events.push({ kind: 'delete', reason: 'expired', id: object.id, object });
      groups.set(ns, events);
    }
    for (const [ns, events] of groups) this.record(ns, seq, events);
  }

  private compact(command: Extract<Command, { kind: 'compact' }>): void {
    // Rows of one position go in the order in which their namespaces came to be.
    const numbers = new Map([...this.namespaces.keys()].map((ns, number) => [ns, number]));
    const order = (commit: ModelCommit): number => numbers.get(commit.ns) ?? 0;
    const held = this.commits
      .filter((commit) => commit.seq >= this.historyFrom && commit.seq >= this.firstAvailable(commit.ns))
      .sort((left, right) => left.seq - right.seq || order(left) - order(right));
    let removed = 0;
    for (const commit of held) {
      const isOld = commit.tsMs < this.nowMs - command.retentionMs;
      const isBeyond = commit.seq <= this.commitSeq - command.retentionCommits;
      if ((!isOld && !isBeyond) || removed >= command.limit) break;
      removed += commit.events.length;
      this.compactedThrough.set(commit.ns, commit.seq);
      this.historyFrom = commit.seq;
    }
  }

  private record(ns: string, seq: number, events: readonly ModelEvent[]): void {
    this.commits.push({ ns, seq, prev: this.lastCommit.get(ns) ?? 0, tsMs: this.nowMs, events });
    this.lastCommit.set(ns, seq);
  }

  private placeInCommit(object: ModelObject): number {
    const commit = this.commits.find(({ seq, ns }) => seq === object.commit_seq && ns === object.ns);
    return commit?.events.findIndex(({ id }) => id === object.id) ?? 0;
  }
}

function isLive(object: ModelObject, nowMs: number): boolean {
  return object.expires_at === undefined || expiresAtMs(object) > nowMs;
}

function expiresAtMs(object: ModelObject): number {
  return Date.parse(object.expires_at ?? '');
}

function compareIds(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
