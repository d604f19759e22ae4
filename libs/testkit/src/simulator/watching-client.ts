import { StateError, type CommitSeq } from '#contracts';
import type { WatchFilter, WatchHandle, WatchSink } from '#watch';
import { SseParser, type SseEvent } from '../sse';
import { checkWatchStream } from '../watch-rules';
import { SimulationFailure } from './failure';
import type { SeededStream } from './random';
import type { Life } from './scheduler';
import type { SimHost } from './sim-host';
import type { World } from './world';

interface Connection {
  readonly host: SimHost;
  readonly life: Life;
  readonly from: number | undefined;
  readonly initial: boolean;
  readonly events: SseEvent[];
  readonly parser: SseParser;
  handle: WatchHandle | undefined;
  /** Chunks that the client still takes before it asks the node to wait. */
  credit: number;
  ended: boolean;
}

const LOOK_AGAIN_MS = 40;

/** A client that watches a namespace for ever: from node to node, each time from where it was cut off. */
export class WatchingClient {
  private connection: Connection | undefined;
  private lastId: string | undefined;
  private stopped = false;
  streams = 0;

  constructor(
    readonly name: string,
    private readonly world: World,
    private readonly random: SeededStream,
    readonly ns: string,
    private readonly filter: WatchFilter,
  ) {}

  start(): void {
    this.look();
  }

  /** Whether the open stream has come to `position`. */
  hasReached(position: number): boolean {
    const { connection } = this;
    if (connection === undefined || connection.ended || connection.parser.lastEventId === '') return false;
    return Number(connection.parser.lastEventId) >= position;
  }

  /** Ends the last stream, which had the time to come to `reached`. */
  finish(reached: number): void {
    this.stopped = true;
    this.close(reached);
  }

  private look(): void {
    if (this.stopped) return;
    const { connection, random, world } = this;
    if (connection !== undefined) {
      const isCut = !connection.life.alive || connection.ended || random.chance(0.01);
      if (isCut) this.close();
      else if (connection.credit <= 0 && !connection.life.paused) this.take(connection);
    } else {
      const host = random.pick([...world.hosts.values()]);
      if (host.isUp && host.life?.paused === false) this.open(host, host.life);
    }
    world.scheduler.after(random.between(1, 2 * LOOK_AGAIN_MS), `${this.name} looks`, () => this.look());
  }

  private take(connection: Connection): void {
    connection.credit = 1 + this.random.below(20);
    connection.handle?.drained();
  }

  private open(host: SimHost, life: Life): void {
    const { world, random, ns, filter, name } = this;
    const from = this.lastId === undefined ? undefined : ((Number(this.lastId) + 1) as CommitSeq);
    const initial = from === undefined && random.chance(0.5);
    const connection: Connection = {
      host,
      life,
      from,
      initial,
      events: [],
      parser: new SseParser(),
      handle: undefined,
      credit: 1 + random.below(50),
      ended: false,
    };
    world.note(
      `${name} watches at node ${host.member} from ${String(from ?? (initial ? 'the state' : 'now'))}`,
    );
    this.connection = connection;
    this.streams++;
    host.node!.engine.watch({ ns, filter, from, initial }, this.sink(connection)).then(
      (handle) => {
        connection.handle = handle;
        if (this.connection !== connection) handle.close();
      },
      (error: unknown) => {
        if (this.connection === connection) this.connection = undefined;
        if (!life.alive) return;
        const code = error instanceof StateError ? error.code : undefined;
        const isLate = code === 'compacted' && world.forgets;
        if (code === undefined || !(isLate || RETRIED.has(code))) return world.broken(error);
        world.note(`${name} hears: ${code}`);
        // What it has missed is gone: it begins anew.
        if (isLate) this.lastId = undefined;
      },
    );
  }

  private sink(connection: Connection): WatchSink {
    return {
      write: (chunk) => {
        if (this.connection !== connection || !connection.life.alive) return true;
        const isSkipped = this.world.bug === 'skipWatchChunk' && this.random.chance(0.05);
        if (!isSkipped) connection.events.push(...connection.parser.push(chunk));
        if (connection.parser.lastEventId !== '') this.lastId = connection.parser.lastEventId;
        connection.credit--;
        return connection.credit > 0;
      },
      end: () => {
        connection.ended = true;
      },
    };
  }

  /** The stream is over, and judged once all that it may have shown was compared. */
  private close(reached?: number): void {
    const { connection, world, ns, filter, name } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    if (connection.life.alive) connection.handle?.close();
    const { from, initial, events, host } = connection;
    world.afterStep(() => {
      const faults = checkWatchStream(
        { ns, filter, from, initial, events, reached },
        world.decided.batches(ns),
      );
      if (faults.length > 0)
        throw new SimulationFailure(`${name} at node ${host.member}: ${faults.join('; ')}`);
    });
  }
}

const RETRIED = new Set(['no_leader', 'not_ready', 'draining', 'timeout', 'overloaded', 'too_many_watchers']);
