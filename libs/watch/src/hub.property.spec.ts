import fc from 'fast-check';
import { StateError, commitSeq, type ChangeBatch, type ChangeEvent } from '#contracts';
import { MemoryChangeSource, RecordingSink, SimClock, checkWatchStream } from '#testkit';
import { WatchHub } from './hub';
import type { WatchFilter, WatchHandle, WatchRequest } from './types';

/**
 * Goal: every promise of a stream holds over any schedule of commits, lost, late and repeated publications, lag of
 * the replica, slow clients, retention and reconnections. Method: random schedules against a history in arrays;
 * each recorded stream is compared with that history by testkit's rules, and resumed at every `id:` it ever sent.
 */
const NS = 'agent://model';
const LIMITS = {
  maxWatchers: 1_000,
  maxWatchersPerOwner: 1_000,
  bufferEvents: 6,
  bufferBytes: 40_000,
  bookmarkMs: 5_000,
  keepAliveMs: 15_000,
  stallMs: 60_000,
  pageBytes: 200,
};
const FILTERS: readonly WatchFilter[] = [
  {},
  {},
  { prefix: 'a' },
  { type: 'even' },
  { tags: { color: 'red' } },
  { prefix: 'b', type: 'odd', tags: { color: 'blue' } },
];

interface Change {
  readonly id: string;
  readonly put: boolean;
  readonly even: boolean;
  readonly red: boolean;
  readonly size: number;
}

type Step =
  | {
      readonly do: 'commit';
      readonly changes: readonly Change[];
      readonly bus: boolean;
      readonly local: boolean;
    }
  | { readonly do: 'elsewhere'; readonly count: number }
  | { readonly do: 'apply' | 'late' | 'notice' }
  | { readonly do: 'compact'; readonly fraction: number }
  | { readonly do: 'turns'; readonly count: number }
  | { readonly do: 'repeat'; readonly back: number }
  | {
      readonly do: 'watch';
      readonly start: 'now' | 'initial' | number;
      readonly filter: number;
      readonly credit: number;
    }
  | { readonly do: 'drain'; readonly which: number; readonly credit: number }
  | { readonly do: 'leave'; readonly which: number; readonly credit: number }
  | { readonly do: 'time'; readonly ms: number };

interface Client {
  readonly request: WatchRequest;
  readonly sink: RecordingSink;
  readonly handle: WatchHandle;
  left: boolean;
}

/** What can be broken on purpose, to see that the rules notice. */
type Plant = 'none' | 'swallow_a_batch' | 'swallow_an_event';

class World {
  readonly clock = new SimClock();
  readonly source = new MemoryChangeSource(NS);
  readonly hub = new WatchHub({
    source: this.source,
    clock: this.clock,
    defer: (task) => void this.deferred.push(task),
    limits: LIMITS,
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
  readonly clients: Client[] = [];
  readonly problems: string[] = [];
  /** Later turns of the event loop, run when the schedule says so: timers may come between any two of them. */
  private readonly deferred: (() => void)[] = [];
  private readonly lost: ChangeBatch[] = [];
  private unapplied: ChangeBatch[] = [];

  constructor(
    private readonly plant: Plant,
    isRemote = false,
  ) {
    if (isRemote) this.source.later = (task) => void this.deferred.push(task);
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) this.step(step);
  }

  /** Heals: the replica applies all, every client that is still there reads all, and time passes. */
  settle(): void {
    this.applyAll();
    for (let round = 0; round < 8; round++) {
      for (const { sink } of this.clients) sink.drain(1_000_000);
      this.turns(1_000);
      this.clock.advance(LIMITS.bookmarkMs + 1_000);
    }
  }

  check(): void {
    for (const client of this.clients) this.checkClient(client);
  }

  private turns(count: number): void {
    for (let turn = 0; turn < count; turn++) this.deferred.shift()?.();
  }

  watch(request: WatchRequest, credit: number): Client | undefined {
    const sink = new RecordingSink(credit);
    const from = Math.max(request.from ?? Infinity, 1);
    const outside = from < this.source.firstAvailable(NS) || (from < Infinity && from > this.seen() + 1);
    try {
      const handle = this.hub.subscribe(request, sink);
      const client = { request, sink, handle, left: false };
      sink.attach(handle);
      this.clients.push(client);
      if (outside) this.problems.push(`from ${request.from} was taken, outside of the history`);
      return client;
    } catch (error) {
      if (!(error instanceof StateError) || error.code !== 'compacted') throw error;
      if (!outside) this.problems.push(`from ${request.from} was refused, inside of the history`);
      return undefined;
    }
  }

  private checkClient({ request, sink, left }: Client): void {
    const { ns, filter, from, initial } = request;
    const gone = left || sink.ended;
    const stream = { ns, filter, initial, events: sink.events() };
    const violations = checkWatchStream(
      {
        ...stream,
        ...(from === undefined ? {} : { from }),
        ...(gone ? {} : { reached: this.source.position(NS) }),
      },
      this.source.history,
    );
    for (const violation of violations) {
      this.problems.push(`${JSON.stringify(request)}: ${violation}\n${sink.text()}`);
    }
  }

  private step(step: Step): void {
    switch (step.do) {
      case 'commit':
        return this.commit(step);
      case 'elsewhere':
        return this.source.commitElsewhere(step.count);
      case 'apply':
        return this.applyAll();
      case 'late': {
        const batch = this.lost.shift();
        if (batch !== undefined) this.publish(batch);
        return;
      }
      case 'repeat': {
        const batch = this.source.history[this.source.history.length - 1 - step.back];
        if (batch !== undefined) this.publish(batch);
        return;
      }
      case 'notice': {
        const last = this.source.history[this.source.history.length - 1];
        if (last !== undefined) this.hub.notice(NS, last.commitSeq);
        return;
      }
      case 'compact':
        return this.source.compact(commitSeq(Math.floor((this.source.position(NS) + 1) * step.fraction)));
      case 'turns':
        return this.turns(step.count);
      case 'watch':
        this.watch(this.request(step), step.credit);
        return;
      case 'drain':
        this.clients[step.which % Math.max(this.clients.length, 1)]?.sink.drain(step.credit);
        return;
      case 'leave':
        return this.leave(step);
      case 'time':
        return this.clock.advance(step.ms);
    }
  }

  private commit(step: Extract<Step, { do: 'commit' }>): void {
    const batch = this.source.commit(step.changes.map(eventOf), this.clock.wallMs());
    if (step.bus) this.publish(batch);
    else this.lost.push(batch);
    this.unapplied.push(batch);
    if (step.local) this.applyAll();
  }

  /** The host's duty: what is applied is published, though here, as in a host that lost its place, not always. */
  private applyAll(): void {
    const batches = this.unapplied;
    this.unapplied = [];
    this.source.apply();
    for (const batch of batches) if (batch.commitSeq % 5 !== 0) this.publish(batch);
  }

  private publish(batch: ChangeBatch): void {
    if (this.plant === 'swallow_a_batch' && batch.commitSeq % 4 === 0) {
      // As if the namespace had never changed at that position: the chain of positions is closed over the gap.
      const next = this.source.history.find(({ commitSeq: seq }) => seq > batch.commitSeq);
      if (next !== undefined) this.hub.publish({ ...next, prevCommitSeq: batch.prevCommitSeq });
      return;
    }
    const events = this.plant === 'swallow_an_event' ? batch.events.slice(1) : batch.events;
    this.hub.publish({ ...batch, events });
  }

  private request(step: Extract<Step, { do: 'watch' }>): WatchRequest {
    const filter = FILTERS[step.filter % FILTERS.length]!;
    if (typeof step.start !== 'number') return { ns: NS, filter, initial: step.start === 'initial' };
    const from = commitSeq(Math.floor(step.start * (this.seen() + 3)));
    return { ns: NS, filter, initial: false, from };
  }

  /** The newest position that this node knows to exist: applied, or brought by the bus to a watched namespace. */
  private seen(): number {
    return this.hub.position(NS);
  }

  /** A client goes away and, if it had read anything, comes back where it was. */
  private leave(step: Extract<Step, { do: 'leave' }>): void {
    const client = this.clients[step.which % Math.max(this.clients.length, 1)];
    if (client === undefined) return;
    client.left = true;
    client.handle.close();
    client.handle.close();
    const events = client.sink.events();
    const last = events[events.length - 1]?.lastEventId ?? '';
    if (last === '') return;
    // The host reads up to the committed position first, as README.md asks, or a lagging replica would say 410.
    this.applyAll();
    this.watch({ ...client.request, initial: false, from: commitSeq(Number(last) + 1) }, step.credit);
  }
}

function eventOf({ id, put, even, red, size }: Change): ChangeEvent {
  const type = even ? 'even' : 'odd';
  const tags = { color: red ? 'red' : 'blue' };
  if (!put) return { kind: 'delete', reason: even ? 'delete' : 'expired', id, type, tags };
  const object = new TextEncoder().encode(JSON.stringify({ id, type, tags, body: 'ü\n'.repeat(size) }));
  return { kind: 'put', id, type, tags, object };
}

const change: fc.Arbitrary<Change> = fc.record({
  id: fc.constantFrom('a1', 'a2', 'b1', 'b"\\ü', 'c'),
  put: fc.boolean(),
  even: fc.boolean(),
  red: fc.boolean(),
  size: fc.oneof({ weight: 20, arbitrary: fc.nat(20) }, { weight: 3, arbitrary: fc.constant(7_000) }),
});
const credit = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(1_000_000));
const which = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      changes: fc.uniqueArray(change, { minLength: 1, maxLength: 4, selector: ({ id }) => id }),
      bus: fc.boolean(),
      local: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('elsewhere' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('apply' as const, 'late' as const, 'notice' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('compact' as const), fraction: fc.constantFrom(0.5, 0.9, 1) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.constantFrom(1, 1, 3, 100) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), back: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      start: fc.oneof(
        fc.constantFrom('now' as const, 'initial' as const),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
      ),
      filter: fc.nat(50),
      credit,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('drain' as const), which, credit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), which, credit }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('time' as const),
      ms: fc.constantFrom(1, 100, 6_000, 6_000, 30_000),
    }),
  },
);

const RUNS = Number(process.env['WATCH_RUNS'] ?? 300);
const SEED = Number(process.env['WATCH_SEED'] ?? 20_261_123);
const schedules = fc.array(step, { minLength: 10, maxLength: 120, size: 'max' });

function problemsOf(steps: readonly Step[], plant: Plant, isRemote = false): readonly string[] {
  const world = new World(plant, isRemote);
  world.run(steps);
  world.settle();
  world.check();
  if (world.source.openScans !== 0) world.problems.push(`${world.source.openScans} scans were left open`);
  return world.problems;
}

describe('the promises of a stream, over random schedules', () => {
  it('hold', () => {
    fc.assert(
      fc.property(schedules, (steps) => {
        expect(problemsOf(steps, 'none')).toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('hold where the history is on another node, which answers later or not at all', () => {
    fc.assert(
      fc.property(schedules, (steps) => {
        expect(problemsOf(steps, 'none', true)).toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('hold for a resumption after any position that was ever said', () => {
    fc.assert(
      fc.property(schedules, (steps) => {
        const world = new World('none');
        world.run(steps);
        world.settle();
        const said = new Map<string, { readonly request: WatchRequest; readonly from: number }>();
        for (const { request, sink } of world.clients) {
          for (const { id } of sink.events()) {
            if (id !== undefined)
              said.set(`${JSON.stringify(request.filter)} ${id}`, { request, from: Number(id) + 1 });
          }
        }
        for (const { request, from } of said.values()) {
          world.watch({ ...request, initial: false, from: commitSeq(from) }, Infinity);
        }
        world.settle();
        world.check();
        expect(world.problems).toEqual([]);
      }),
      { seed: SEED, numRuns: Math.ceil(RUNS / 3) },
    );
  });

  it.each<Plant>(['swallow_a_batch', 'swallow_an_event'])(
    'are seen to be broken when a bug is planted: %s',
    (plant) => {
      const details = fc.check(
        fc.property(schedules, (steps) => problemsOf(steps, plant).length === 0),
        { seed: SEED, numRuns: RUNS },
      );
      expect(details.failed).toBe(true);
    },
  );
});
