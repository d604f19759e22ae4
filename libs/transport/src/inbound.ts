import { StateError, type MemberId } from '#contracts';
import type { NetworkHandlers } from '#replication';

import { Connection, type ConnectionEvents } from './connection';
import type { TransportContext } from './context';
import { FrameType } from './frame';
import type { FrameSocket } from './frame-socket';
import { encodeRefusal } from './hello';
import type { PeerHello, TransportOptions } from './options';

/** The accepted connections: one per member and channel, the newest, and a bounded number of `single` ones. */
export class InboundConnections {
  private readonly links = new Map<string, Connection>();
  private readonly singles = new Set<Connection>();

  constructor(
    private readonly context: TransportContext,
    private readonly joining: Pick<TransportOptions, 'joinKinds' | 'onJoinRequest'>,
    private readonly handlers: () => NetworkHandlers | undefined,
  ) {}

  /** Takes over a socket whose peer is proven. */
  add(frames: FrameSocket, hello: PeerHello, member: boolean): void {
    if (hello.channel === 'single' && this.singles.size >= this.context.limits.singleConnections) {
      this.context.observer.onRefused?.('too_many', 'us');
      const body = encodeRefusal('too_many', 'too many nodes ask to join at once');
      frames.queue.push({ type: FrameType.refusal, kind: 0, correlation: 0 }, [body], body.length);
      frames.finish('refused: too_many');
      return;
    }
    const key = `${hello.memberId} ${hello.channel}`;
    const connection: Connection = new Connection(this.context, frames, 'acceptor', hello, {
      ...(member ? this.memberEvents(hello.memberId) : this.joiningEvents(hello, () => connection)),
      onClosed: () => {
        this.singles.delete(connection);
        if (this.links.get(key) === connection) this.links.delete(key);
      },
    });
    if (hello.channel === 'single') this.singles.add(connection);
    else {
      // A dialer has one connection at a time: a second one means that it gave the first one up.
      this.links.get(key)?.destroy('replaced by a newer connection');
      this.links.set(key, connection);
    }
  }

  /** Ends the links for which `keep` says no. */
  retain(keep: (hello: PeerHello) => boolean, cause: string): void {
    for (const connection of [...this.links.values()]) {
      if (!keep(connection.peer)) connection.finish(cause);
    }
  }

  finishAll(cause: string): void {
    for (const connection of [...this.links.values(), ...this.singles]) connection.finish(cause);
  }

  private memberEvents(from: MemberId): Omit<ConnectionEvents, 'onClosed'> {
    return {
      onMessage: (kind, body) => this.handlers()?.onMessage(from, kind, body),
      onRequest: async (kind, body) => {
        const handlers = this.handlers();
        if (handlers === undefined) throw new StateError('not_ready', 'the peer is still starting');
        return handlers.onRequest(from, kind, body);
      },
    };
  }

  private joiningEvents(hello: PeerHello, connection: () => Connection): Omit<ConnectionEvents, 'onClosed'> {
    const { joinKinds, onJoinRequest } = this.joining;
    return {
      onMessage: () => connection().fault('unexpected_frame'),
      onRequest: async (kind, body) => {
        if (onJoinRequest === undefined || joinKinds?.has(kind) !== true) {
          throw new StateError(
            'operation_denied',
            'a node that is no member of this cluster may not ask this',
          );
        }
        return onJoinRequest(hello, kind, body);
      },
    };
  }
}
