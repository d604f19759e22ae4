import type {
  Command,
  LeaseCommand,
  Operation,
  PatchOperation,
  PutOperation,
  QueryRequest,
  Tags,
  WriteCommand,
} from '#contracts';
import { GuardModel } from './guard-model';
import { mergeModel } from './patch-model';
import { meetsModel } from './where-model';

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
  private readonly guards = new GuardModel();
  private historyFrom = 1;

  /** What the command comes to, as an error code or `done` with its results, and the commits it made. */
  apply(
    command: Command,
    tsMs: number,
  ): { readonly outcome: string; readonly commits: readonly ModelCommit[] } {
    this.nowMs = Math.max(this.nowMs, tsMs);
    const before = this.commits.length;
    let outcome = 'done';
    if (command.kind === 'write') outcome = this.guarded(command, () => this.write(command));
    else if (command.kind === 'lease') outcome = this.guarded(command, () => this.lease(command));
    else if (command.kind === 'expire') this.expire(command.limit);
    else if (command.kind === 'indexes' && command.paths.length > 0) this.objectsOf(command.ns);
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
        ) &&
        (request.where ?? []).every((condition) => meetsModel(object.body, condition)),
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

  /** Who holds a lease, by the time of the last command. */
  leaseHolder(ns: string, key: string): { readonly owner: string; readonly token: number } | undefined {
    return this.guards.held(ns, key, this.nowMs);
  }

  private guarded(command: WriteCommand | LeaseCommand, run: () => string): string {
    const outcome = this.guards.once(command, run);
    if (command.idempotency) this.objectsOf(command.ns);
    return outcome;
  }

  private lease(command: LeaseCommand): string {
    const outcome = this.guards.lease(command, this.nowMs, this.commitSeq + 1);
    if (command.action === 'acquire' && outcome.startsWith('done')) {
      this.commitSeq++;
      this.objectsOf(command.ns);
    }
    return outcome;
  }

  /** From the first time that anything is kept of it on, a namespace is there. */
  private objectsOf(ns: string): Map<string, ModelObject> {
    const objects = this.namespaces.get(ns) ?? new Map<string, ModelObject>();
    this.namespaces.set(ns, objects);
    return objects;
  }

  private write({ ns, operations, fence }: WriteCommand): string {
    if (operations.length === 0) return 'invalid_request';
    if (new Set(operations.map(({ id }) => id)).size !== operations.length) return 'invalid_request';
    if (fence && this.guards.held(ns, fence.key, this.nowMs)?.token !== fence.token) return 'fence_stale';
    const puts = new Map<string, PutOperation>();
    for (const operation of operations) {
      const current = this.current(ns, operation.id);
      const refusal = refusalOf(operation, current);
      if (refusal !== undefined) return refusal;
      if (operation.op === 'put') puts.set(operation.id, operation);
      if (operation.op === 'patch' && current) puts.set(operation.id, patchOf(operation, current));
    }
    const checked = (id: string): string => `checked@${this.current(ns, id)?.commit_seq ?? 0}`;
    if (operations.every(({ op }) => op === 'check'))
      return ['done', ...operations.map(({ id }) => checked(id))].join(' ');
    const objects = this.objectsOf(ns);
    const seq = ++this.commitSeq;
    const results: string[] = [];
    const events = operations.flatMap((operation): ModelEvent[] => {
      const { id, op } = operation;
      if (op === 'check') {
        results.push(checked(id));
        return [];
      }
      const stored = objects.get(id);
      if (op === 'delete') {
        results.push('deleted');
        objects.delete(id);
        return [{ kind: 'delete', reason: 'delete', id, object: stored as ModelObject }];
      }
      results.push(`object@${seq}`);
      const createdSeq = stored && isLive(stored, this.nowMs) ? stored.created_seq : seq;
      const object = this.makeObject(ns, puts.get(id) as PutOperation, seq, createdSeq);
      objects.set(id, object);
      return [{ kind: 'put', id, object }];
    });
    this.record(ns, seq, events);
    return ['done', ...results].join(' ');
  }

  private current(ns: string, id: string): ModelObject | undefined {
    const stored = this.namespaces.get(ns)?.get(id);
    return stored && isLive(stored, this.nowMs) ? stored : undefined;
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
    const numbers = new Map([...this.namespaces.keys()].map((ns, number) => [ns, number]));
    const objects = [...this.namespaces.entries()]
      .flatMap(([ns, held]) => [...held.values()].map((object) => ({ ns, object })))
      .filter(({ object }) => !isLive(object, this.nowMs))
      .map((one) => ({ ...one, kind: 1, atMs: expiresAtMs(one.object), id: one.object.id }));
    const leases = this.guards
      .ended(this.nowMs)
      .map((lease) => ({ ns: lease.ns, lease, kind: 2, atMs: lease.expiresAtMs, id: lease.key }));
    const going = [...objects, ...leases]
      .sort(
        (left, right) =>
          left.atMs - right.atMs ||
          left.kind - right.kind ||
          (numbers.get(left.ns) ?? 0) - (numbers.get(right.ns) ?? 0) ||
          compareIds(left.id, right.id),
      )
      .slice(0, limit);
    for (const one of going) if ('lease' in one) this.guards.remove(one.lease);
    const due = going.flatMap((one) => ('object' in one ? [one] : []));
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

function refusalOf(operation: Operation, current: ModelObject | undefined): string | undefined {
  const { op, ifMatch, ifNoneMatch } = operation;
  if ((op === 'delete' || op === 'patch') && !current) return 'not_found';
  if (op === 'check' && !current && !ifNoneMatch) return 'precondition_failed';
  if (ifNoneMatch && current) return 'precondition_failed';
  if (ifMatch !== undefined && ifMatch !== current?.commit_seq) return 'precondition_failed';
  return undefined;
}

/** Merge patches of bodies and tags are all that random histories hold; JSON Patch has tests of its own. */
function patchOf({ id, patchJson }: PatchOperation, current: ModelObject): PutOperation {
  const { type, body, tags, ttl_seconds: ttl } = current;
  const merged = mergeModel({ type, body, tags, ttl_seconds: ttl }, JSON.parse(patchJson)) as ModelObject;
  return {
    op: 'put',
    id,
    type: merged.type,
    bodyJson: JSON.stringify(merged.body ?? null),
    tags: merged.tags,
    ttlSeconds: merged.ttl_seconds,
    parents: current.parents,
  };
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
