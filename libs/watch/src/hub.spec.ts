import { StateError, commitSeq, type ChangeBatch, type ChangeEvent } from '#contracts';
import { MemoryChangeSource, RecordingSink, SimClock } from '#testkit';
import { WatchHub } from './hub';
import type { WatchLimits } from './options';
import type { WatchRequest } from './types';

/** Goal: the bounds, the frames and the ends of streams, each on a schedule that shows it. */
const NS = 'agent://demo';
const LIMITS: WatchLimits = {
  maxWatchers: 1_000,
  maxWatchersPerOwner: 2,
  bufferEvents: 10,
  bufferBytes: 1_000_000,
  bookmarkMs: 5_000,
  keepAliveMs: 15_000,
  stallMs: 60_000,
};

function put(id: string, body: unknown = null, type = 'object'): ChangeEvent {
  return { kind: 'put', id, type, tags: {}, object: new TextEncoder().encode(JSON.stringify({ id, body })) };
}

function setUp(limits: Partial<WatchLimits> = {}) {
  const clock = new SimClock();
  const source = new MemoryChangeSource(NS);
  const seen = {
    clients: 0,
    events: {} as Record<string, number>,
    drops: [] as string[],
    lags: [] as number[],
    resumed: 0,
  };
  const hub = new WatchHub({
    source,
    clock,
    limits: { ...LIMITS, ...limits },
    observer: {
      clients: (count) => (seen.clients = count),
      events: (type, count) => (seen.events[type] = (seen.events[type] ?? 0) + count),
      dropped: (reason) => seen.drops.push(reason),
      backlog: () => undefined,
      emitLag: (seconds) => seen.lags.push(seconds),
      received: () => undefined,
      resumed: () => seen.resumed++,
    },
  });
  const commit = (...events: ChangeEvent[]): ChangeBatch => {
    const batch = source.commit(events, clock.wallMs());
    source.apply();
    hub.publish(batch);
    return batch;
  };
  const watch = (request: Partial<WatchRequest> = {}, credit = Infinity): RecordingSink => {
    const sink = new RecordingSink(credit);
    sink.attach(hub.subscribe({ ns: NS, filter: {}, initial: false, ...request }, sink));
    return sink;
  };
  return { clock, source, hub, seen, commit, watch };
}

const types = (sink: RecordingSink): string[] =>
  sink.events().map(({ data }) => (JSON.parse(data) as { type: string }).type);
const last = (sink: RecordingSink): unknown => JSON.parse(sink.events().at(-1)!.data);
const codeOf = (attempt: () => unknown): unknown => {
  try {
    attempt();
    return 'taken';
  } catch (error) {
    return error instanceof StateError ? { code: error.code, ...error.extras } : error;
  }
};

describe('frames', () => {
  it('are the documented bytes', () => {
    const { commit, watch, clock, hub } = setUp();
    const sink = watch();
    clock.advance(0);
    commit(put('täsk-1', 'a\nb'), { kind: 'delete', reason: 'expired', id: 'x"y', type: 't', tags: {} });
    clock.advance(0);
    hub.drain();
    expect(sink.text()).toBe(
      'id: 0\ndata: {"type":"BOOKMARK","ns":"agent://demo","commit_seq":0}\n\n' +
        'data: {"type":"PUT","ns":"agent://demo","id":"täsk-1","commit_seq":1,"ts":"2023-11-14T22:13:20.000Z","object":{"id":"täsk-1","body":"a\\nb"}}\n\n' +
        'id: 1\ndata: {"type":"DELETE","ns":"agent://demo","id":"x\\"y","commit_seq":1,"ts":"2023-11-14T22:13:20.000Z","reason":"expired"}\n\n' +
        'data: {"type":"END","reason":"draining"}\n\n',
    );
  });

  it('are encoded once for all watchers, whatever their filters', () => {
    const { commit, watch, clock } = setUp();
    const sinks = [
      watch(),
      watch({ filter: { prefix: 'a' } }),
      watch({ filter: { type: 'object' } }),
      watch(),
    ];
    clock.advance(0);
    commit(put('a1'));
    clock.advance(0);
    expect(new Set(sinks.map(({ chunks }) => chunks[1])).size).toBe(1);
  });

  it('of many small batches in one turn become one chunk', () => {
    const { commit, watch, clock } = setUp();
    const sink = watch();
    clock.advance(0);
    for (let count = 0; count < 5; count++) commit(put(`a${count}`));
    clock.advance(0);
    expect(sink.chunks).toHaveLength(2);
    expect(sink.events()).toHaveLength(6);
  });
});

describe('a slow client', () => {
  it('gets OVERFLOW with its last position when more waits than the buffer holds, and nobody else does', () => {
    const { commit, watch, clock, seen, hub } = setUp();
    const [slow, fast] = [watch({}, 2), watch()];
    clock.advance(0);
    for (let count = 0; count < 11; count++) {
      commit(put('a'));
      clock.advance(0);
      if (count === 5) expect(hub.stats()).toEqual({ clients: 2, namespaces: 1, backlogEvents: 5 });
    }
    expect(slow.ended).toBe(false);
    commit(put('a'));
    clock.advance(0);
    expect(slow.endCause).toBe('overflow');
    expect(last(slow)).toEqual({
      type: 'OVERFLOW',
      error: 'overflow',
      last_commit: 1,
      retry_after_ms: 1_000,
    });
    expect(slow.events().at(-1)!.id).toBe('1');
    expect(fast.events()).toHaveLength(13);
    expect(seen).toMatchObject({ clients: 1, drops: ['overflow'], events: { PUT: 13, OVERFLOW: 1 } });
  });

  it('is bound by bytes as well, also when it blocks in the middle of a burst', () => {
    const { commit, watch, clock } = setUp({ bufferBytes: 50_000 });
    const slow = watch({}, 2);
    clock.advance(0);
    for (let count = 0; count < 4; count++) commit(put('a', 'x'.repeat(20_000)));
    clock.advance(0);
    expect(slow.endCause).toBe('overflow');
    expect(last(slow)).toMatchObject({ last_commit: 1 });
  });

  it('that was told a position in the meantime resumes from there, not from the middle of a batch before it', () => {
    const { commit, watch, source, clock } = setUp({ bufferBytes: 30_000 });
    const slow = watch({}, 4);
    clock.advance(0);
    commit(put('a'));
    source.commitElsewhere(7);
    source.apply();
    clock.advance(6_000);
    commit(put('a', 'x'.repeat(20_000)), put('b', 'x'.repeat(20_000)), put('c', 'x'.repeat(20_000)));
    clock.advance(0);
    expect(types(slow)).toEqual(['BOOKMARK', 'PUT', 'BOOKMARK', 'PUT', 'OVERFLOW']);
    expect(last(slow)).toMatchObject({ last_commit: 8 });
  });

  it('that catches up is read for only as fast as it takes, and stalls out at last', () => {
    const { commit, watch, clock, seen } = setUp({ pageBytes: 100 });
    for (let count = 0; count < 100; count++) commit(put('a', 'x'.repeat(50)));
    const slow = watch({ from: commitSeq(1) }, 3);
    clock.advance(50_000);
    expect(slow.chunks).toHaveLength(3);
    slow.drain(1);
    clock.advance(59_000);
    expect(slow.chunks).toHaveLength(4);
    expect(slow.ended).toBe(false);
    clock.advance(7_000);
    expect(slow.endCause).toBe('stalled');
    expect(seen.drops).toEqual(['stalled']);
    expect(types(slow).at(-1)).toBe('OVERFLOW');
  });

  it('that stalls in the initial state is told no position, and its scan is closed', () => {
    const { commit, watch, source, clock } = setUp({ pageBytes: 100 });
    for (let count = 0; count < 20; count++) commit(put(`a${count}`, 'x'.repeat(50)));
    const slow = watch({ initial: true }, 1);
    clock.advance(1_000);
    expect(source.openScans).toBe(1);
    clock.advance(70_000);
    expect(slow.endCause).toBe('stalled');
    expect(slow.events().every(({ id }) => id === undefined)).toBe(true);
    expect(source.openScans).toBe(0);
  });
});

describe('admission', () => {
  it('refuses positions that are gone or never were', () => {
    const { commit, source, watch, clock } = setUp();
    for (let count = 0; count < 10; count++) commit(put('a'));
    expect(codeOf(() => watch({ from: commitSeq(0) }))).toBe('taken');
    source.compact(commitSeq(5));
    expect(codeOf(() => watch({ from: commitSeq(4) }))).toEqual({ code: 'compacted', first_available: 5 });
    expect(codeOf(() => watch({ from: commitSeq(5) }))).toBe('taken');
    expect(codeOf(() => watch({ from: commitSeq(11) }))).toBe('taken');
    expect(codeOf(() => watch({ from: commitSeq(12) }))).toEqual({ code: 'compacted', first_available: 5 });
    clock.advance(0);
  });

  it('holds to the number of watchers, of the node and of an owner, and gives places back', () => {
    const { watch, hub, seen } = setUp({ maxWatchers: 3 });
    const first = watch({ owner: 'one' });
    watch({ owner: 'one' });
    expect(codeOf(() => watch({ owner: 'one' }))).toMatchObject({ code: 'too_many_watchers' });
    watch({ owner: 'two' });
    expect(codeOf(() => watch())).toMatchObject({ code: 'too_many_watchers' });
    first.close();
    watch({ owner: 'one' });
    expect(seen.clients).toBe(3);
    hub.drain();
    expect(seen.clients).toBe(0);
    expect(codeOf(() => watch())).toMatchObject({ code: 'draining' });
  });
});

describe('an idle stream', () => {
  it('gets bookmarks that move on with the replica, and comments', () => {
    const { source, watch, clock } = setUp();
    const sink = watch({ filter: { prefix: 'none' } });
    clock.advance(0);
    source.commitElsewhere(3);
    source.apply();
    clock.advance(16_000);
    const ids = sink.events().map(({ id }) => Number(id));
    expect(ids[0]).toBe(0);
    expect(ids.slice(1).every((id) => id === 3)).toBe(true);
    expect(ids.length).toBeGreaterThanOrEqual(3);
    expect(sink.text()).toContain(': keep-alive\n\n');
  });

  it('costs one timer for all of them', () => {
    const { watch, clock } = setUp();
    for (let count = 0; count < 100; count++) watch();
    clock.advance(0);
    let timers = 0;
    const dueMs = clock.nextDueMs();
    while (clock.nextDueMs() === dueMs && timers < 10) {
      clock.runNext();
      timers++;
    }
    expect(timers).toBe(1);
  });

  it('ends when its token does, or its namespace goes, and leaves no timer behind', () => {
    const { watch, clock, hub } = setUp();
    const [token, region] = [watch({ expiresAtMs: clock.wallMs() + 3_000 }), watch()];
    clock.advance(2_000);
    expect(token.ended).toBe(false);
    clock.advance(2_000);
    expect(last(token)).toEqual({ type: 'END', reason: 'token_expired' });
    hub.endNamespace(NS, 'region_changed');
    expect(last(region)).toEqual({ type: 'END', reason: 'region_changed' });
    clock.advance(0);
    expect(clock.nextDueMs()).toBeUndefined();
  });
});

describe('batches that a bus brings', () => {
  it('reach who catches up though the replica has not applied them', () => {
    const { source, hub, watch, clock } = setUp();
    const early = watch();
    clock.advance(0);
    for (let count = 0; count < 3; count++) hub.publish(source.commit([put(`a${count}`)], 0));
    clock.advance(0);
    const late = watch({ from: commitSeq(2) });
    clock.advance(0);
    hub.publish(source.commit([put('b')], 0));
    clock.advance(0);
    expect(late.events().map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    expect(early.events().map(({ id }) => id)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('are not handed over with a hole when too many were kept', () => {
    const { source, hub, watch, clock } = setUp();
    watch();
    for (let count = 0; count < 1_030; count++) hub.publish(source.commit([put('a')], 0));
    clock.advance(0);
    const late = watch({ from: commitSeq(1) });
    clock.advance(0);
    expect(late.events()).toHaveLength(1);
    source.apply();
    clock.advance(1_000);
    expect(late.events()).toHaveLength(1_031);
  });

  it('are read from the history when a heartbeat tells of one that was lost', () => {
    const { source, hub, watch, clock } = setUp();
    const sink = watch();
    clock.advance(0);
    const lost = source.commit([put('a')], 0);
    source.apply();
    hub.notice(NS, lost.commitSeq);
    clock.advance(0);
    expect(types(sink)).toEqual(['BOOKMARK', 'PUT']);
  });

  it('after a hole that retention has swallowed end the live streams, whose resumption is refused', () => {
    const { source, hub, watch, clock, seen } = setUp();
    const sink = watch();
    clock.advance(0);
    for (let count = 0; count < 5; count++) source.commit([put('a')], 0);
    source.apply();
    source.compact(commitSeq(4));
    hub.publish(source.history.at(-1)!);
    clock.advance(0);
    expect(last(sink)).toMatchObject({ type: 'OVERFLOW', last_commit: 0 });
    expect(seen.drops).toEqual(['compacted']);
    expect(codeOf(() => watch({ from: commitSeq(1) }))).toEqual({ code: 'compacted', first_available: 4 });
  });
});

it('makes who joins in the middle of a long run live without waiting for a tick', () => {
  const { commit, watch, clock } = setUp();
  watch();
  clock.advance(0);
  for (let count = 0; count < 600; count++) commit(put('a'));
  const late = watch();
  clock.advance(0);
  commit(put('b'));
  clock.advance(0);
  expect(late.events().map(({ id }) => id)).toEqual(['600', '601']);
});

it('visits every watcher though more comes in the middle of a sweep', () => {
  const { commit, watch, clock } = setUp();
  const sinks = Array.from({ length: 700 }, () => watch());
  clock.advance(0);
  // Whoever is written to at the sweep's far end makes another change come while the first are already past.
  let more = 1;
  const far = sinks[600]!;
  const write = far.write.bind(far);
  far.write = (chunk) => {
    if (more-- > 0) commit(put('b'));
    return write(chunk);
  };
  commit(put('a'));
  clock.advance(0);
  expect(sinks.filter((sink) => sink.events().length !== 3)).toHaveLength(0);
});

it('reports lag from when it got a change to when a sink took it, and resumptions', () => {
  const { commit, watch, clock, seen } = setUp();
  const sink = watch({}, 2);
  watch({ from: commitSeq(1) });
  clock.advance(0);
  commit(put('a'));
  clock.advance(0);
  commit(put('a'));
  clock.advance(2_500);
  sink.drain(5);
  clock.advance(0);
  expect(seen.lags).toEqual([0, 0, 0, 2.5]);
  expect(seen.resumed).toBe(1);
});
