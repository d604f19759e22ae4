import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import type { TransportContext } from './context';
import { FrameSocket } from './frame-socket';
import { Handshake, type HandshakeOutcome } from './handshake';
import type { PeerHello } from './options';

/** An accepted socket that has proven nothing yet. */
interface Attempt {
  readonly handshake: Handshake;
  readonly remote: string;
  frames: FrameSocket | undefined;
}

export type ProvenSink = (frames: FrameSocket, hello: PeerHello, member: boolean) => void;

/** Accepts peers. What is unproven is bounded: in number, in bytes each, and in time. */
export class Listener {
  private readonly server: Server;
  private readonly unproven = new Set<Socket>();
  /** Between a TCP socket and the TLS socket around it the remote address is what they share. */
  private readonly securing = new Map<string, Attempt>();

  private constructor(
    private readonly context: TransportContext,
    private readonly onProven: ProvenSink,
  ) {
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
    context.tls?.server.on('secureConnection', (socket) => {
      const attempt = this.securing.get(remoteOf(socket));
      if (attempt === undefined) {
        socket.destroy();
        return;
      }
      this.begin(attempt, socket);
      if (!socket.authorized) {
        attempt.handshake.refuse('tls', 'the certificate is not one of this cluster');
      }
    });
    context.tls?.server.on('tlsClientError', (error, socket) => {
      this.securing.get(remoteOf(socket))?.handshake.refuse('tls', error.message);
    });
  }

  /** Rejects with the system's error when the address cannot be had. */
  static async open(
    context: TransportContext,
    address: { readonly host: string; readonly port: number },
    onProven: ProvenSink,
  ): Promise<Listener> {
    const listener = new Listener(context, onProven);
    await new Promise<void>((resolve, reject) => {
      listener.server.once('error', reject);
      listener.server.listen(address.port, address.host, () => {
        listener.server.off('error', reject);
        resolve();
      });
    });
    listener.server.on('error', (error) => context.logger.warn('accepting failed', { error: error.message }));
    return listener;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Accepts nothing more and drops what is unproven. Resolves once every accepted socket is closed. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.unproven) socket.destroy();
    return closed;
  }

  private accept(socket: Socket): void {
    const { clock, limits, observer, tls } = this.context;
    if (this.unproven.size >= limits.unprovenConnections) {
      observer.onRefused?.('too_many', 'us');
      socket.destroy();
      return;
    }
    this.unproven.add(socket);
    const remote = remoteOf(socket);
    const attempt: Attempt = {
      remote,
      frames: undefined,
      handshake: new Handshake(this.context, { kind: 'acceptor' }, (outcome) => {
        cancelTimer();
        if (attempt.frames === undefined) socket.destroy();
        this.settle(attempt, socket, outcome);
      }),
    };
    const cancelTimer = clock.after(limits.handshakeTimeoutMs, () =>
      attempt.handshake.refuse('timeout', 'the handshake took too long'),
    );
    socket.on('error', () => undefined);
    socket.once('close', () => {
      cancelTimer();
      this.unproven.delete(socket);
      if (this.securing.get(remote) === attempt) this.securing.delete(remote);
    });
    if (tls === undefined) this.begin(attempt, socket);
    else {
      this.securing.set(remote, attempt);
      tls.server.emit('connection', socket);
    }
  }

  private begin(attempt: Attempt, socket: Socket): void {
    attempt.frames = new FrameSocket(socket, this.context, attempt.handshake);
    attempt.handshake.start(attempt.frames);
  }

  private settle(attempt: Attempt, socket: Socket, outcome: HandshakeOutcome): void {
    const { observer, logger } = this.context;
    if (outcome.kind === 'refused') {
      observer.onRefused?.(outcome.reason, outcome.by);
      const { reason, by, detail } = outcome;
      logger.warn('refused a peer connection', { reason, by, detail, remote: attempt.remote });
    } else if (outcome.kind === 'proven' && attempt.frames !== undefined) {
      this.unproven.delete(socket);
      this.onProven(attempt.frames, outcome.hello, outcome.member);
    }
  }
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'gone'} ${socket.remotePort ?? 0}`;
}
