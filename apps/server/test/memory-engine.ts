import { encodeCommand } from '#codec';
import type {
  ClientCommand,
  Command,
  CommandOutcome,
  CommitSeq,
  LogIndex,
  ReadRequest,
  Term,
  WriteCommand,
} from '#contracts';
import type { Engine, ReadAnswer, ReadinessCheck } from '#replication';
import { ApplyBatch, evaluateRead, readApplied } from '#state-machine';
import { MemoryStateStore, sha256 } from '#testkit';
import type { WatchHandle, WatchRequest, WatchSink } from '#watch';
import { MemoryCluster } from './memory-cluster';
import { MemoryNamespaces } from './memory-namespaces';
import { MemorySnapshots } from './memory-snapshots';

/** An engine without a log or peers, for the HTTP edge alone: the real state machine over a store in memory. */
export class MemoryEngine implements Engine {
  readonly checks: ReadinessCheck[] = [
    { name: 'storage', ok: true, detail: '' },
    { name: 'nats', ok: true, detail: 'degraded' },
  ];
  readonly cluster = new MemoryCluster();
  readonly namespaces = new MemoryNamespaces();
  readonly snapshots = new MemorySnapshots();
  readonly watchers = new Set<{ request: WatchRequest; sink: WatchSink; drained: number; closed: boolean }>();
  readonly commands: ClientCommand[] = [];
  /** Set to make the next calls fail. */
  failure: Error | undefined;
  /** Added to the clock, so that a test need not wait for what expires. */
  skippedMs = 0;
  isStopped = false;
  private readonly store = new MemoryStateStore();

  write(command: ClientCommand): Promise<CommandOutcome> {
    if (this.failure) return Promise.reject(this.failure);
    this.commands.push(command);
    return Promise.resolve(this.run(command));
  }

  /** Applies a command that no client sends, such as what a leader proposes. */
  run(command: Command): CommandOutcome {
    const batch = new ApplyBatch(this.store, sha256);
    const index = (batch.appliedIndex + 1) as LogIndex;
    const { outcome } = batch.apply(index, 1 as Term, encodeCommand(command, this.nowMs()));
    this.store.write(batch.finish());
    return outcome;
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    if (this.failure) return Promise.reject(this.failure);
    const outcome = evaluateRead(this.store, request, this.nowMs());
    return Promise.resolve({ outcome, commitSeq: this.position() });
  }

  /** Operations of all writes so far. */
  operations(): readonly WriteCommand['operations'][number][] {
    return this.commands.flatMap((command) => (command.kind === 'write' ? command.operations : []));
  }

  watch(request: WatchRequest, sink: WatchSink): Promise<WatchHandle> {
    if (this.failure) return Promise.reject(this.failure);
    const watcher = { request, sink, drained: 0, closed: false };
    this.watchers.add(watcher);
    const position = this.position();
    sink.write(Buffer.from(`id: ${position}\ndata: {"type":"BOOKMARK","commit_seq":${position}}\n\n`));
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

  private position(): CommitSeq {
    return readApplied(this.store).commitSeq;
  }

  private nowMs(): number {
    return Date.now() + this.skippedMs;
  }
}
