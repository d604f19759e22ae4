import type { Channel, PeerAddress } from '#replication';

import { Connection } from './connection';
import type { TransportContext } from './context';
import { dial, type DialOutcome } from './dial';

/** One outgoing connection to a peer, made again whenever it breaks, until stopped. */
export class PeerLink {
  private current: Connection | undefined;
  private cancelPending: () => void = () => undefined;
  private failures = 0;
  private loggedReason: string | undefined;
  private stopped = false;

  constructor(
    private readonly context: TransportContext,
    readonly address: PeerAddress,
    private readonly channel: Channel,
    private readonly onChange: (connected: boolean) => void,
  ) {}

  /** `undefined` while there is no proven connection. */
  get connection(): Connection | undefined {
    return this.current;
  }

  start(): void {
    const { host, port, member } = this.address;
    this.cancelPending = dial(
      this.context,
      { host, port, channel: this.channel, expected: member },
      (outcome) => this.onDialed(outcome),
    );
  }

  /** For good. What is queued is still sent. */
  stop(cause: string): void {
    this.stopped = true;
    this.cancelPending();
    this.current?.finish(cause);
  }

  private onDialed(outcome: DialOutcome): void {
    if (!outcome.ok) {
      this.log(outcome.reason, outcome.detail);
      this.retryLater();
      return;
    }
    this.cancelPending = () => undefined;
    this.failures = 0;
    this.loggedReason = undefined;
    this.current = new Connection(this.context, outcome.frames, 'dialer', outcome.hello, {
      // The acceptor never asks and never tells: frames of that kind end the connection before they get here.
      onMessage: () => undefined,
      onRequest: () => Promise.reject(new Error('a dialer is not asked')),
      onClosed: (cause) => this.onClosed(cause),
    });
    this.onChange(true);
  }

  private onClosed(cause: string): void {
    this.current = undefined;
    this.onChange(false);
    if (this.stopped) return;
    this.log('lost', cause);
    this.retryLater();
  }

  /** Exponential backoff with full jitter, so that the peers of a restarted node do not come back in step. */
  private retryLater(): void {
    const { limits, clock, random } = this.context;
    const ceilingMs = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** Math.min(this.failures, 30));
    this.failures++;
    this.cancelPending = clock.after(1 + random.below(ceilingMs), () => this.start());
  }

  /** The same failure again and again is one line in the log. */
  private log(reason: string, detail: string): void {
    if (reason === this.loggedReason) return;
    this.loggedReason = reason;
    const { name, host, port } = this.address;
    const fields = { peer: name, host, port, channel: this.channel, reason, detail };
    this.context.logger.warn('no connection to a peer', fields);
  }
}
