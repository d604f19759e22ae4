import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type AnnouncedVersions, HelloRewriter } from './hello-rewriter';

interface Pair {
  readonly dialer: net.Socket;
  readonly target: net.Socket;
}

/**
 * The way from one node to another: a TCP relay that the dialing node takes for the other one. Everything that a node
 * starts itself (Raft messages, forwarded requests) travels on the links it dials, so cutting this relay cuts one
 * direction, and cutting the relays of both nodes cuts them off from each other.
 */
export class LinkRelay {
  private readonly pairs = new Set<Pair>();
  private cutOff = false;
  private delayMs = 0;
  /** How much of what passed is looked at again together with what follows. */
  private keptBytes = 0;
  private readonly announced: { dialer?: AnnouncedVersions; target?: AnnouncedVersions } = {};
  private readonly alarms: ((bytes: Buffer) => void)[] = [];

  private constructor(
    private readonly server: net.Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (dialer) => this.accept(dialer));
  }

  static async open(targetPort: number): Promise<LinkRelay> {
    const server = net.createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new LinkRelay(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Calls `found` when these bytes pass, in either direction, also in several pieces. */
  searchFor(wanted: Buffer, found: () => void): void {
    this.alarms.push((bytes) => {
      if (bytes.includes(wanted)) found();
    });
    this.keptBytes = Math.max(this.keptBytes, wanted.length - 1);
  }

  /**
   * Nothing passes any more, as when a cable is pulled: what was on its way is lost, and neither side is told.
   * With `reset` both sides are told, as by a firewall that rejects.
   */
  cut({ reset = false } = {}): void {
    this.cutOff = true;
    for (const pair of [...this.pairs]) {
      if (reset) this.drop(pair);
      else for (const socket of [pair.dialer, pair.target]) socket.pause();
    }
  }

  /** What passes from now on arrives this much later, in both directions of a connection. */
  slowDown(delayMs: number): void {
    this.delayMs = delayMs;
  }

  /** New connections pass again. Those that were cut have lost bytes, so they end. */
  heal(): void {
    this.delayMs = 0;
    if (!this.cutOff) return;
    this.cutOff = false;
    for (const pair of [...this.pairs]) this.drop(pair);
  }

  /** From now on one side seems to speak these versions of the protocol; without any, those that it does speak. */
  announce(side: 'dialer' | 'target', versions: AnnouncedVersions | undefined): void {
    this.announced[side] = versions;
    for (const pair of [...this.pairs]) this.drop(pair);
  }

  async close(): Promise<void> {
    for (const pair of [...this.pairs]) this.drop(pair);
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(dialer: net.Socket): void {
    dialer.on('error', () => undefined);
    if (this.cutOff) {
      dialer.pause();
      // It is answered by nobody, and its dialer's patience ends it.
      const waiting = { dialer, target: new net.Socket() };
      this.pairs.add(waiting);
      dialer.on('close', () => this.drop(waiting));
      return;
    }
    const target = net.connect({ host: '127.0.0.1', port: this.targetPort, noDelay: true });
    const pair = { dialer, target };
    this.pairs.add(pair);
    this.forward(pair, dialer, target, this.announced.dialer);
    this.forward(pair, target, dialer, this.announced.target);
  }

  private forward(pair: Pair, from: net.Socket, to: net.Socket, versions?: AnnouncedVersions): void {
    const rewriter = versions && new HelloRewriter(versions);
    from.on('error', () => undefined);
    from.on('close', () => {
      if (!this.cutOff) this.drop(pair);
    });
    let before: Buffer = Buffer.alloc(0);
    let late = Promise.resolve();
    let lateChunks = 0;
    from.on('data', (sent) => {
      if (this.cutOff) return;
      const bytes = rewriter?.pass(sent) ?? sent;
      if (this.alarms.length > 0) {
        const seen = Buffer.concat([before, bytes]);
        for (const look of this.alarms) look(seen);
        before = seen.subarray(Math.max(0, seen.length - this.keptBytes));
      }
      // Bytes never overtake each other, also when the delay ends while some are on their way.
      if (this.delayMs > 0 || lateChunks > 0) {
        const dueMs = performance.now() + this.delayMs;
        lateChunks++;
        late = late.then(async () => {
          const leftMs = dueMs - performance.now();
          if (leftMs > 0) await delay(leftMs);
          lateChunks--;
          if (!this.cutOff && !to.destroyed) to.write(bytes);
        });
        return;
      }
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => this.cutOff || from.resume());
      }
    });
  }

  private drop(pair: Pair): void {
    this.pairs.delete(pair);
    pair.dialer.destroy();
    pair.target.destroy();
  }
}
