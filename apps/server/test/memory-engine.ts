import {
  type CommandOutcome,
  type CommitSeq,
  type Operation,
  type OperationResult,
  type ReadOutcome,
  type ReadRequest,
  type WriteCommand,
  commitSeq,
} from '#contracts';
import type { Engine, ReadAnswer, ReadinessCheck } from '#replication';
import type { WatchHandle, WatchRequest, WatchSink } from '#watch';
import { MemoryCluster } from './memory-cluster';
import { MemorySnapshots } from './memory-snapshots';

interface Stored {
  readonly json: Buffer;
  readonly commitSeq: CommitSeq;
}

/** An engine without a log, for the HTTP edge alone: one map, one counter, watchers told in the same turn. */
export class MemoryEngine implements Engine {
  readonly checks: ReadinessCheck[] = [
    { name: 'storage', ok: true, detail: '' },
    { name: 'nats', ok: true, detail: 'degraded' },
  ];
  readonly cluster = new MemoryCluster();
  readonly snapshots = new MemorySnapshots();
  readonly watchers = new Set<{ request: WatchRequest; sink: WatchSink; drained: number; closed: boolean }>();
  readonly commands: WriteCommand[] = [];
  /** Set to make the next calls fail. */
  failure: Error | undefined;
  isStopped = false;
  private position = 0;
  private readonly namespaces = new Map<string, Map<string, Stored>>();

  write(command: WriteCommand): Promise<CommandOutcome> {
    if (this.failure) return Promise.reject(this.failure);
    this.commands.push(command);
    const objects = this.objectsOf(command.ns);
    const results: OperationResult[] = [];
    for (const operation of command.operations) {
      const refused = refusal(operation, objects.get(operation.id));
      if (refused) return Promise.resolve(refused);
      this.position++;
      results.push(this.apply(command.ns, objects, operation));
    }
    return Promise.resolve({ kind: 'done', commitSeq: commitSeq(this.position), results });
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve({ outcome: this.outcomeOf(request), commitSeq: commitSeq(this.position) });
  }

  watch(request: WatchRequest, sink: WatchSink): Promise<WatchHandle> {
    if (this.failure) return Promise.reject(this.failure);
    const watcher = { request, sink, drained: 0, closed: false };
    this.watchers.add(watcher);
    sink.write(
      Buffer.from(`id: ${this.position}\ndata: {"type":"BOOKMARK","commit_seq":${this.position}}\n\n`),
    );
    return Promise.resolve({
      drained: () => {
        watcher.drained++;
      },
      close: () => {
        watcher.closed = true;
        this.watchers.delete(watcher);
      },
    });
  }

  readiness(): readonly ReadinessCheck[] {
    return this.checks;
  }

  handOver(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.isStopped = true;
    for (const { sink } of this.watchers) {
      sink.write(Buffer.from('data: {"type":"END","reason":"draining"}\n\n'));
      sink.end();
    }
    return Promise.resolve();
  }

  private objectsOf(ns: string): Map<string, Stored> {
    let objects = this.namespaces.get(ns);
    if (!objects) {
      objects = new Map<string, Stored>();
      this.namespaces.set(ns, objects);
    }
    return objects;
  }

  private apply(ns: string, objects: Map<string, Stored>, operation: Operation): OperationResult {
    if (operation.op === 'delete') {
      objects.delete(operation.id);
      return { kind: 'deleted' };
    }
    const { id, type, tags, parents, bodyJson, ttlSeconds } = operation;
    const ttl = ttlSeconds === undefined ? '' : `,"ttl_seconds":${ttlSeconds}`;
    const json = Buffer.from(
      `{"id":${JSON.stringify(id)},"ns":${JSON.stringify(ns)},"type":${JSON.stringify(type)},"body":${bodyJson},` +
        `"tags":${JSON.stringify(tags)}${ttl},"parents":${JSON.stringify(parents)},"commit":"00",` +
        `"commit_seq":${this.position},"created_seq":${this.position},"ts":"2026-11-23T09:00:00.000Z"}`,
    );
    objects.set(id, { json, commitSeq: commitSeq(this.position) });
    return { kind: 'object', json };
  }

  private outcomeOf(request: ReadRequest): ReadOutcome {
    const objects = this.objectsOf(request.ns);
    if (request.kind === 'get') {
      const stored = objects.get(request.id);
      return stored ? { kind: 'object', ...stored } : { kind: 'absent' };
    }
    const { prefix = '', limit, cursor = '' } = request;
    const ids = [...objects.keys()].sort().filter((id) => id.startsWith(prefix) && id > cursor);
    const page = ids.slice(0, limit);
    return {
      kind: 'page',
      objects: page.map((id) => (objects.get(id) as Stored).json),
      nextCursor: ids.length > limit ? page.at(-1) : undefined,
    };
  }
}

function refusal(operation: Operation, stored: Stored | undefined): CommandOutcome | undefined {
  const current = stored ? Number(stored.commitSeq) : 0;
  if (
    (operation.ifMatch !== undefined && operation.ifMatch !== current) ||
    (operation.ifNoneMatch === true && stored !== undefined)
  ) {
    const extras = { current_commit_seq: current };
    return { kind: 'rejected', code: 'precondition_failed', detail: 'not the current version', extras };
  }
  if (operation.op === 'delete' && !stored)
    return { kind: 'rejected', code: 'not_found', detail: 'no such object' };
  return undefined;
}
