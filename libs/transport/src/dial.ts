import { connect } from 'node:net';

import type { MemberId } from '#contracts';

import type { TransportContext } from './context';
import { FrameSocket } from './frame-socket';
import { Handshake, type HandshakeOutcome } from './handshake';
import type { LinkChannel, PeerHello, RefusalReason } from './options';

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly channel: LinkChannel;
  /** `undefined`: whoever answers, as far as the host admits them. */
  readonly expected: MemberId | undefined;
}

export type DialOutcome =
  | { readonly ok: true; readonly frames: FrameSocket; readonly hello: PeerHello; readonly member: boolean }
  | { readonly ok: false; readonly reason: RefusalReason | 'unreachable'; readonly detail: string };

/**
 * Connects to an address and proves both sides. `done` runs once, never before this returns; the returned function
 * gives up, after which it does not run.
 */
export function dial(
  context: TransportContext,
  target: DialTarget,
  done: (outcome: DialOutcome) => void,
): () => void {
  const { clock, limits, observer, tls } = context;
  let connected = false;
  let tlsFault: 'us' | 'peer' | undefined;

  const finish = (outcome: HandshakeOutcome): void => {
    cancelTimer();
    if (outcome.kind === 'proven') {
      done({ ok: true, frames, hello: outcome.hello, member: outcome.member });
      return;
    }
    if (!started) frames.destroy('given up');
    if (outcome.kind === 'refused') {
      observer.onRefused?.(outcome.reason, outcome.by);
      done({ ok: false, reason: outcome.reason, detail: outcome.detail });
    } else if (tlsFault !== undefined) {
      observer.onRefused?.('tls', tlsFault);
      done({ ok: false, reason: 'tls', detail: outcome.cause });
    } else done({ ok: false, reason: 'unreachable', detail: outcome.cause });
  };
  const handshake = new Handshake(
    context,
    { kind: 'dialer', channel: target.channel, expected: target.expected },
    finish,
  );
  const socket = tls?.connect(target.host, target.port) ?? connect(target.port, target.host);
  const frames = new FrameSocket(socket, context, handshake);
  let started = false;
  let cancelTimer = clock.after(limits.connectTimeoutMs, () => frames.destroy('connecting took too long'));

  socket.once('connect', () => {
    connected = true;
    cancelTimer();
    cancelTimer = clock.after(limits.handshakeTimeoutMs, () =>
      handshake.refuse('timeout', 'the handshake took too long'),
    );
  });
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    started = true;
    handshake.start(frames);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (!tls || !connected || error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    // With TLS 1.3 the acceptor's verdict on our certificate arrives after our side of the handshake is complete.
    if (!started) tlsFault = 'us';
    else if (error.code?.startsWith('ERR_SSL')) tlsFault = 'peer';
  });

  return () => {
    cancelTimer();
    handshake.abort('given up');
    frames.destroy('given up');
  };
}
