import { StateError, type MemberId } from '#contracts';
import type { Network, NetworkHandlers } from '#replication';
import type { SeededStream } from './random';
import type { Life, Scheduler } from './scheduler';

/** How bad the links are; changed by faults while the run goes on. */
export interface LinkQuality {
  minDelayMs: number;
  maxDelayMs: number;
  /** Shares of frames. A duplicate or an overtaken frame stands for what Raft must bear, not for what TCP does. */
  dropShare: number;
  duplicateShare: number;
  reorderShare: number;
}

interface Direction {
  cut: boolean;
  lastArrivalMs: number;
}

interface Outstanding {
  readonly from: Life;
  readonly to: Life;
  readonly reject: (error: Error) => void;
}

interface Attached {
  readonly life: Life;
  readonly accepts: (from: MemberId) => boolean;
  handlers: NetworkHandlers | undefined;
}

export interface SimNetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: SeededStream;
  readonly quality: LinkQuality;
  /** Every frame, request and answer as it leaves its sender, before anything happens to it; an answer has no kind. */
  readonly inspect: (from: MemberId, to: MemberId, kind: number | undefined, body: Uint8Array) => void;
  /** A peer's request ended with an error that no client may see. */
  readonly onBroken: (error: unknown) => void;
}

const FIRST_RECONNECT_MS = 5;

/**
 * All links of one simulated cluster. Frames of a link arrive in order while nothing is wrong with it; a frame
 * may be lost, come late, twice, or (where chance says that a link was made anew) before an older one. A request
 * is answered once, refused before it left, or ends in a timeout with an unknown outcome.
 */
export class SimNetwork {
  private readonly attached = new Map<MemberId, Attached>();
  private readonly directions = new Map<string, Direction>();
  private readonly outstanding = new Set<Outstanding>();

  constructor(private readonly options: SimNetworkOptions) {}

  /** The network as one run of a node's process sees it. */
  attach(member: MemberId, life: Life, accepts: (from: MemberId) => boolean): Network {
    const here: Attached = { life, accepts, handlers: undefined };
    this.attached.set(member, here);
    return {
      send: (to, kind, parts) => this.send(member, life, to, kind, parts),
      request: (to, kind, body, { timeoutMs }) => this.request(member, life, to, kind, body, timeoutMs),
      setPeers: () => undefined,
      setHandlers: (handlers) => {
        here.handlers = handlers;
        this.options.scheduler.after(FIRST_RECONNECT_MS, 'links up', () => this.announce(member, true), life);
      },
      connected: (to) => this.isConnected(member, life, to),
      close: () => {
        if (this.attached.get(member) === here) this.attached.delete(member);
        return Promise.resolve();
      },
    };
  }

  /** The process is gone: its links break, and whoever waited for its answers learns that soon. */
  detach(member: MemberId, life: Life): void {
    if (this.attached.get(member)?.life === life) this.attached.delete(member);
    for (const waiting of this.outstanding) {
      if (waiting.from === life) this.outstanding.delete(waiting);
      if (waiting.to !== life) continue;
      this.outstanding.delete(waiting);
      const reject = (): void => waiting.reject(linkBroken());
      this.options.scheduler.after(this.delayMs(), 'a request breaks off', reject, waiting.from);
    }
    this.announce(member, false);
  }

  cut(from: MemberId, to: MemberId): void {
    this.direction(from, to).cut = true;
  }

  heal(): void {
    for (const direction of this.directions.values()) direction.cut = false;
  }

  private announce(member: MemberId, connected: boolean): void {
    for (const [other, { life, handlers }] of this.attached) {
      if (other === member || !life.alive) continue;
      handlers?.onPeer(member, connected);
      if (connected) this.attached.get(member)?.handlers?.onPeer(other, true);
    }
  }

  private isConnected(from: MemberId, life: Life, to: MemberId): boolean {
    const target = this.attached.get(to);
    if (!life.alive || target === undefined || !target.life.alive) return false;
    return target.accepts(from) && this.attached.get(from)?.accepts(to) === true;
  }

  private send(
    from: MemberId,
    life: Life,
    to: MemberId,
    kind: number,
    parts: readonly Uint8Array[],
  ): boolean {
    if (!life.alive) return false;
    const body = joined(parts);
    this.options.inspect(from, to, kind, body);
    if (!this.isConnected(from, life, to)) return false;
    const { random, quality } = this.options;
    this.carry(from, to, `frame ${from}>${to}`, (target) => target.onMessage(from, kind, body.slice()));
    if (random.chance(quality.duplicateShare)) {
      const late = (target: NetworkHandlers): void => target.onMessage(from, kind, body.slice());
      this.carry(from, to, `frame ${from}>${to} again`, late);
    }
    return true;
  }

  private request(
    from: MemberId,
    life: Life,
    to: MemberId,
    kind: number,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const { scheduler } = this.options;
    const target = this.attached.get(to);
    if (target === undefined || !this.isConnected(from, life, to)) return Promise.reject(neverLeft());
    this.options.inspect(from, to, kind, body);
    return new Promise((resolve, reject) => {
      const waiting: Outstanding = { from: life, to: target.life, reject };
      this.outstanding.add(waiting);
      const settle = (act: () => void): void => {
        if (!this.outstanding.delete(waiting)) return;
        act();
      };
      const answer = (what: string, act: () => void): void => {
        this.carryTo(life, this.direction(to, from), what, () => settle(act));
      };
      scheduler.after(timeoutMs, 'request timeout', () => settle(() => reject(linkBroken())), life);
      this.carry(from, to, `request ${from}>${to}`, (handlers) => {
        const done = (bytes: Uint8Array): void => {
          this.options.inspect(to, from, undefined, bytes);
          answer(`answer ${to}>${from}`, () => resolve(bytes.slice()));
        };
        const failed = (error: Error): void => {
          if (!(error instanceof StateError)) this.options.onBroken(error);
          answer(`refusal ${to}>${from}`, () => reject(error));
        };
        handlers.onRequest(from, kind, body.slice()).then(done, failed);
      });
    });
  }

  private carry(from: MemberId, to: MemberId, what: string, arrive: (target: NetworkHandlers) => void): void {
    const target = this.attached.get(to);
    if (target === undefined) return;
    this.carryTo(target.life, this.direction(from, to), what, () => {
      if (target.handlers !== undefined) arrive(target.handlers);
    });
  }

  private carryTo(life: Life, direction: Direction, what: string, arrive: () => void): void {
    const { scheduler, random, quality } = this.options;
    if (direction.cut || random.chance(quality.dropShare)) return;
    let atMs = scheduler.nowMs + this.delayMs();
    if (random.chance(quality.reorderShare)) atMs += 3 * quality.maxDelayMs;
    else atMs = direction.lastArrivalMs = Math.max(atMs, direction.lastArrivalMs);
    scheduler.after(atMs - scheduler.nowMs, what, arrive, life);
  }

  private delayMs(): number {
    const { random, quality } = this.options;
    return random.between(quality.minDelayMs, quality.maxDelayMs);
  }

  private direction(from: MemberId, to: MemberId): Direction {
    const key = `${from}>${to}`;
    let direction = this.directions.get(key);
    if (direction === undefined) {
      direction = { cut: false, lastArrivalMs: 0 };
      this.directions.set(key, direction);
    }
    return direction;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function linkBroken(): StateError {
  return new StateError('timeout', 'The link broke or the answer took too long; the outcome is unknown.');
}

function neverLeft(): StateError {
  return new StateError('no_leader', 'The peer is not connected.', { retry_after: 1 });
}
