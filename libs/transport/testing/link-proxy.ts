import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP relay between two transports that can stop relaying, or cut, while both ends keep their sockets. */
export class LinkProxy {
  private readonly sockets = new Set<Socket>();
  private frozen = false;
  private refusing = false;
  private corrupting = false;
  private readonly outers = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async open(target: { host: string; port: number }): Promise<LinkProxy> {
    const server = createServer();
    const proxy = new LinkProxy(server);
    server.on('connection', (inner) => proxy.relay(inner, connect(target.port, target.host)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Bytes are no longer read from either side: the peers' windows fill up, nobody is told anything. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.frozen = false;
    for (const socket of this.sockets) socket.resume();
  }

  /** Resets every connection; new ones are reset as well until `restore`. */
  cut(): void {
    this.refusing = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Changes one bit of the next chunk that holds more than a ping. */
  corruptNext(): void {
    this.corrupting = true;
  }

  /** Sends bytes to the target on every connection, as if the dialer had. */
  inject(bytes: Buffer): void {
    for (const outer of this.outers) outer.write(bytes);
  }

  restore(): void {
    this.refusing = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private relay(inner: Socket, outer: Socket): void {
    this.outers.add(outer);
    outer.on('close', () => this.outers.delete(outer));
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        if (this.corrupting && chunk.length > 100) {
          this.corrupting = false;
          chunk[90] = (chunk[90] as number) ^ 0x04;
        }
        to.write(chunk);
      });
      if (this.frozen) from.pause();
      if (this.refusing) from.resetAndDestroy();
    }
  }
}
