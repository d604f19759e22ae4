import { CodecError } from '#codec';
import { StateError } from '#contracts';

import type { TransportContext } from './context';
import { FrameType, type FrameFault } from './frame';
import type { FrameSocket, FrameSocketOwner } from './frame-socket';
import type { FaultReason, PeerHello } from './options';
import { decodeError, encodeError } from './remote-error';
import { RequestTable } from './request-table';

/** More than pings alone amount to. */
const WRITTEN_PROGRESS_BYTES = 65_536;

export interface ConnectionEvents {
  onMessage(kind: number, body: Uint8Array): void;
  onRequest(kind: number, body: Uint8Array): Promise<Uint8Array>;
  /** Once, last. */
  onClosed(cause: string): void;
}

/**
 * A proven connection. Messages and requests travel from the dialer to the acceptor only; answers and pongs come
 * back. Each node dials every peer for its own traffic, so there is nothing to negotiate about who owns a link.
 *
 * Both sides count ping intervals without a sign of life. Intervals and not a time are counted, so that a process
 * that was itself stopped for a while does not take its own silence for the peer's. A sign of life is any byte that
 * arrived; on connections for large transfers, where an answer may stand behind much data, also that the kernel
 * takes ours. On `messages` it is not, because there a link that swallows heartbeats has to be noticed soon.
 */
export class Connection implements FrameSocketOwner {
  private readonly requests: RequestTable;
  private readonly maxSilentTicks: number;
  private silentTicks = 0;
  private receivedBytes = 0;
  private writtenBytes = 0;
  private pingId = 0;
  private pingSentMs = 0;
  private inboundRequests = 0;
  private inboundRequestBytes = 0;
  private closed = false;
  private cancelTick: () => void;

  constructor(
    private readonly context: TransportContext,
    private readonly frames: FrameSocket,
    readonly role: 'dialer' | 'acceptor',
    readonly peer: PeerHello,
    private readonly events: ConnectionEvents,
  ) {
    const { limits, clock } = context;
    this.requests = new RequestTable(clock);
    this.maxSilentTicks = Math.ceil(limits.silenceTimeoutMs / limits.pingIntervalMs);
    frames.proven(this, limits.frameBytes, { bytes: limits.queueBytes, frames: limits.queueFrames });
    frames.socket.setNoDelay(true);
    frames.socket.setKeepAlive(true, limits.silenceTimeoutMs);
    this.cancelTick = clock.after(limits.pingIntervalMs, () => this.tick());
    this.ping();
  }

  /** False when it was dropped: the queue is full, the body too large or the connection at its end. */
  send(kind: number, parts: readonly Uint8Array[]): boolean {
    let bodyBytes = 0;
    for (const part of parts) bodyBytes += part.length;
    return this.push(FrameType.message, kind, 0, parts, bodyBytes) !== 0;
  }

  request(kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const limit = this.context.limits.frameBytes;
    if (body.length > limit) {
      const detail = 'a request to a peer is larger than a frame';
      return Promise.reject(new StateError('payload_too_large', detail, { limit_bytes: limit }));
    }
    const id = this.requests.nextId();
    const ordinal = this.push(FrameType.request, kind, id, [body], body.length);
    if (ordinal !== 0) return this.requests.wait(id, ordinal, timeoutMs);
    return Promise.reject(new StateError('no_leader', 'the queue to the peer is full'));
  }

  /** Sends what is queued, then closes. */
  finish(cause: string): void {
    this.frames.finish(cause);
    this.end(cause);
  }

  /** Closes at once. */
  destroy(cause: string): void {
    this.frames.destroy(cause);
    this.end(cause);
  }

  onFrame(type: number, kind: number, correlation: number, body: Buffer): void {
    if (this.closed) return;
    if (type === FrameType.ping) this.push(FrameType.pong, 0, correlation, [], 0);
    else if (type === FrameType.pong) this.onPong(correlation);
    else if (type === FrameType.refusal) this.destroy('the peer ended the connection');
    else if (this.role === 'acceptor' && type === FrameType.message) this.onMessage(kind, body);
    else if (this.role === 'acceptor' && type === FrameType.request) this.onRequest(kind, correlation, body);
    else if (this.role === 'dialer' && type === FrameType.answer)
      this.late(this.requests.resolve(correlation, body));
    else if (this.role === 'dialer' && type === FrameType.error)
      this.late(this.requests.reject(correlation, decodeError(body)));
    else this.fault('unexpected_frame');
  }

  onFault(fault: FrameFault | 'bad_magic'): void {
    this.fault(fault === 'bad_magic' ? 'malformed' : fault);
  }

  onClose(cause: string): void {
    this.end(cause);
  }

  /** Closes the connection because of what arrived on it. */
  fault(reason: FaultReason): void {
    this.context.observer.onFault?.(reason);
    this.context.logger.warn('closing a peer connection', { reason, peer: this.peer.name });
    this.destroy(`fault: ${reason}`);
  }

  private push(
    type: number,
    kind: number,
    correlation: number,
    parts: readonly Uint8Array[],
    bodyBytes: number,
  ): number {
    const { observer, limits } = this.context;
    if (this.closed) return 0;
    const tooLarge = bodyBytes > limits.frameBytes;
    const ordinal = tooLarge ? 0 : this.frames.queue.push({ type, kind, correlation }, parts, bodyBytes);
    if (ordinal === 0) {
      observer.onDropped?.(this.peer.memberId, this.peer.channel, tooLarge ? 'too_large' : 'full');
    }
    return ordinal;
  }

  /** A message of a form that this node does not know costs the link, not the process: its sender may be newer. */
  private onMessage(kind: number, body: Buffer): void {
    try {
      this.events.onMessage(kind, body);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.context.logger.warn('a peer sent what cannot be read', {
        peer: this.peer.name,
        error: error.message,
      });
      this.fault('malformed');
    }
  }

  private onRequest(kind: number, correlation: number, body: Buffer): void {
    const { limits } = this.context;
    if (
      this.inboundRequests >= limits.inboundRequests ||
      this.inboundRequestBytes + body.length > limits.inboundRequestBytes
    ) {
      this.pushError(correlation, new StateError('overloaded', 'the peer is answering too many requests'));
      return;
    }
    const bodyBytes = body.length;
    this.inboundRequests++;
    this.inboundRequestBytes += bodyBytes;
    this.events
      .onRequest(kind, body)
      .then((answer) => this.pushAnswer(correlation, answer))
      .catch((error: unknown) => this.pushError(correlation, error))
      .finally(() => {
        this.inboundRequests--;
        this.inboundRequestBytes -= bodyBytes;
      });
  }

  private pushAnswer(correlation: number, answer: Uint8Array): void {
    if (answer.length > this.context.limits.frameBytes) throw new Error('an answer is larger than a frame');
    this.push(FrameType.answer, 0, correlation, [answer], answer.length);
  }

  private pushError(correlation: number, error: unknown): void {
    if (!(error instanceof StateError)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.context.logger.warn('answering a peer failed', { peer: this.peer.name, error: text });
    }
    const body = encodeError(error);
    this.push(FrameType.error, 0, correlation, [body], body.length);
  }

  private late(known: boolean): void {
    if (!known) this.context.observer.onLateAnswer?.(this.peer.memberId);
  }

  private tick(): void {
    if (this.closed) return;
    this.silentTicks = this.hasProgressed() ? 0 : this.silentTicks + 1;
    if (this.silentTicks >= this.maxSilentTicks) {
      this.fault('silent');
      return;
    }
    this.cancelTick = this.context.clock.after(this.context.limits.pingIntervalMs, () => this.tick());
    this.ping();
  }

  private hasProgressed(): boolean {
    const { receivedBytes, queue } = this.frames;
    const received = receivedBytes !== this.receivedBytes;
    const written = queue.writtenBytes - this.writtenBytes >= WRITTEN_PROGRESS_BYTES;
    this.receivedBytes = receivedBytes;
    this.writtenBytes = queue.writtenBytes;
    return received || (written && this.peer.channel !== 'messages');
  }

  /** The dialer asks; the acceptor knows from the asking that the dialer is there. */
  private ping(): void {
    if (this.role !== 'dialer') return;
    this.pingId = (this.pingId + 1) >>> 0;
    this.pingSentMs = this.context.clock.monotonicMs();
    this.push(FrameType.ping, 0, this.pingId, [], 0);
  }

  private onPong(correlation: number): void {
    if (correlation !== this.pingId || this.peer.channel !== 'messages') return;
    const seconds = Math.max(0, this.context.clock.monotonicMs() - this.pingSentMs) / 1_000;
    this.context.observer.onRoundTrip?.(this.peer.memberId, seconds);
  }

  private end(cause: string): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelTick();
    this.requests.failAll((ordinal) => this.frames.queue.mayHaveLeft(ordinal), cause);
    this.events.onClosed(cause);
  }
}
