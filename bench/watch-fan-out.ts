import { commitSeq, type ChangeBatch, type CommitSeq } from '#contracts';
import { WatchHub, type ChangeSource, type WatchSink } from '#watch';

/**
 * What a commit costs when many watch it, without sockets: `publish` alone, and hand-over to sinks that only
 * count. And what an idle watcher weighs. Run: node --expose-gc with the built file.
 */
const NS = 'agent://bench';
const EVENTS = 2_000;

class Applied implements ChangeSource {
  applied = commitSeq(0);
  position(): CommitSeq {
    return this.applied;
  }
  firstAvailable(): CommitSeq {
    return commitSeq(1);
  }
  changes() {
    return { batches: [], through: this.applied };
  }
  openScan(): never {
    throw new Error('no state here');
  }
}

class CountingSink implements WatchSink {
  static bytes = 0;
  write(chunk: Uint8Array): boolean {
    CountingSink.bytes += chunk.length;
    return true;
  }
  end(): void {}
}

function measure(watchers: number, filters: number, perTurn: number): void {
  const source = new Applied();
  const deferred: (() => void)[] = [];
  const hub = new WatchHub({
    source,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now(), after: () => () => undefined },
    defer: (task) => void deferred.push(task),
    limits: {
      maxWatchers: 100_000,
      maxWatchersPerOwner: 100_000,
      bufferEvents: 10_000,
      bufferBytes: 10_485_760,
      bookmarkMs: 5_000,
      keepAliveMs: 15_000,
      stallMs: 60_000,
    },
    observer: {
      clients: () => undefined,
      events: () => undefined,
      dropped: () => undefined,
      backlog: () => undefined,
      emitLag: () => undefined,
      received: () => undefined,
      resumed: () => undefined,
    },
  });
  const runTurns = (): void => {
    for (let task = deferred.shift(); task !== undefined; task = deferred.shift()) task();
  };
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let index = 0; index < watchers; index++) {
    const filter = filters === 1 ? {} : { prefix: `task-${index % filters}-` };
    hub.subscribe({ ns: NS, filter, initial: false }, new CountingSink());
  }
  runTurns();
  globalThis.gc?.();
  const weight = (process.memoryUsage().heapUsed - before.heapUsed) / watchers;

  const object = new TextEncoder().encode(JSON.stringify({ id: 'task', body: 'x'.repeat(1_000) }));
  let publishMs = 0;
  const startMs = performance.now();
  for (let event = 1; event <= EVENTS; event++) {
    const batch: ChangeBatch = {
      ns: NS,
      commitSeq: commitSeq(event),
      prevCommitSeq: commitSeq(event - 1),
      tsMs: 1_700_000_000_000,
      events: [{ kind: 'put', id: `task-${event % filters}-1`, type: 'task', tags: {}, object }],
    };
    source.applied = batch.commitSeq;
    const publishStartMs = performance.now();
    hub.publish(batch);
    publishMs += performance.now() - publishStartMs;
    if (event % perTurn === 0) runTurns();
  }
  runTurns();
  const totalMs = performance.now() - startMs;
  const perEvent = (ms: number): string => ((ms * 1_000) / EVENTS).toFixed(2);
  console.log(
    `${watchers} watchers, ${filters} filters, ${perTurn} batches a turn: publish ${perEvent(publishMs)} us/event, ` +
      `with hand-over ${perEvent(totalMs)} us/event, ${Math.round(weight)} heap bytes/watcher`,
  );
}

for (let warm = 0; warm < 2; warm++) measure(100, 1, 1);
measure(1, 1, 1);
measure(1_000, 1, 1);
measure(1_000, 1, 50);
measure(1_000, 100, 1);
measure(10_000, 1, 1);
