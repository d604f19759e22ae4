import type { Socket } from 'node:net';

import type { Clock } from '#replication';

import { PREAMBLE, type FrameFault } from './frame';
import { FrameParser } from './frame-parser';
import { FrameQueue, type QueueLimits } from './frame-queue';

/** What a peer may send, and we hold for it, before it is proven. */
export const HANDSHAKE_BYTES = 4_096;
const HANDSHAKE_QUEUE: QueueLimits = { bytes: 2 * HANDSHAKE_BYTES, frames: 8 };

/** Who decides about the frames of a socket: first a handshake, then a connection. */
export interface FrameSocketOwner {
  onFrame(type: number, kind: number, correlation: number, body: Buffer): void;
  /** The bytes were no frames. Nothing is delivered any more; the owner has to close. */
  onFault(fault: FrameFault | 'bad_magic'): void;
  /** Once, last. `cause` is for a log. */
  onClose(cause: string): void;
}

export interface FrameSocketContext {
  readonly clock: Clock;
  readonly closeGraceMs: number;
  onBytes(direction: 'in' | 'out', bytes: number): void;
  /** Every socket that is not closed yet, so that closing the transport can wait for them. */
  readonly openSockets: Set<FrameSocket>;
}

/**
 * A TCP or TLS socket that carries frames. Starts in handshake mode: the other side's preamble is checked byte by
 * byte, and it gets 4 KiB in all. {@link proven} lifts that.
 */
export class FrameSocket {
  readonly queue: FrameQueue;
  private readonly parser: FrameParser;
  /** Since the connection began: grows with every chunk. */
  receivedBytes = 0;
  private preambleSeen = 0;
  private budgetBytes = HANDSHAKE_BYTES;
  private ending = false;
  private cause = 'closed by the peer';
  private cancelGrace: (() => void) | undefined;

  constructor(
    readonly socket: Socket,
    private readonly context: FrameSocketContext,
    private owner: FrameSocketOwner,
  ) {
    this.parser = new FrameParser(HANDSHAKE_BYTES, (type, kind, correlation, body) =>
      this.owner.onFrame(type, kind, correlation, body),
    );
    this.queue = new FrameQueue(socket, HANDSHAKE_QUEUE, (bytes) => context.onBytes('out', bytes));
    context.openSockets.add(this);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', (error) => (this.cause = error.message));
    socket.on('close', () => this.onClosed());
  }

  /** Raw, ahead of every frame; once. */
  sendPreamble(): void {
    this.socket.write(PREAMBLE);
  }

  /** The peer may from now on send frames of up to `frameBytes`, to a new owner. */
  proven(owner: FrameSocketOwner, frameBytes: number, queueLimits: QueueLimits): void {
    this.owner = owner;
    this.budgetBytes = Infinity;
    this.parser.setLimit(frameBytes);
    this.queue.setLimits(queueLimits);
  }

  /** Sends what is queued, then closes; by force if the peer does not take it in time. */
  finish(cause: string): void {
    if (this.ending) return;
    this.stop(cause);
    this.queue.finish();
    this.cancelGrace = this.context.clock.after(this.context.closeGraceMs, () => this.socket.destroy());
    this.socket.end();
  }

  /** Closes at once; what is queued is lost. */
  destroy(cause: string): void {
    if (!this.ending) this.stop(cause);
    this.socket.destroy();
  }

  private stop(cause: string): void {
    this.ending = true;
    this.cause = cause;
    this.parser.stop();
  }

  private onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.context.onBytes('in', chunk.length);
    // Read and thrown away: unread bytes would turn our orderly end into a reset that could overtake our last frame.
    if (this.ending) return;
    this.budgetBytes -= chunk.length;
    if (this.budgetBytes < 0) return this.fail('frame_too_large');
    const frames = this.preambleSeen < PREAMBLE.length ? this.readPreamble(chunk) : chunk;
    if (frames === undefined) return this.fail('bad_magic');
    const fault = this.parser.push(frames);
    if (fault !== undefined && !this.ending) this.fail(fault);
  }

  /** The bytes after the preamble; `undefined` if this is another protocol. */
  private readPreamble(chunk: Buffer): Buffer | undefined {
    const expected = PREAMBLE.subarray(this.preambleSeen, this.preambleSeen + chunk.length);
    if (!expected.equals(chunk.subarray(0, expected.length))) return undefined;
    this.preambleSeen += expected.length;
    return chunk.subarray(expected.length);
  }

  private fail(fault: FrameFault | 'bad_magic'): void {
    this.parser.stop();
    this.owner.onFault(fault);
  }

  private onClosed(): void {
    this.cancelGrace?.();
    this.parser.stop();
    // The queue is asked what has left before it lets go.
    this.owner.onClose(this.cause);
    this.queue.close();
    this.context.openSockets.delete(this);
  }
}
