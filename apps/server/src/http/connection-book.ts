import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** The open TCP connections, and how many of them each address has. */
export class ConnectionBook {
  private readonly open = new Set<Socket>();
  private readonly perAddress = new Map<string, number>();

  /** `maxPerAddress` 0: no limit, for servers behind a proxy, where all connections come from a few addresses. */
  constructor(
    private readonly maxPerAddress: number,
    private readonly onRefused: (reason: string) => void,
  ) {}

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    // What Node itself refuses, past `maxConnections`.
    server.on('drop', () => this.onRefused('server'));
  }

  destroyAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  /** Refused before a byte is read: no TLS, no HTTP, nothing to answer with. */
  private add(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const count = (this.perAddress.get(address) ?? 0) + 1;
    if (this.maxPerAddress > 0 && count > this.maxPerAddress) {
      this.onRefused('address');
      socket.destroy();
      return;
    }
    this.open.add(socket);
    this.perAddress.set(address, count);
    socket.once('close', () => {
      this.open.delete(socket);
      const left = (this.perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.perAddress.set(address, left);
      else this.perAddress.delete(address);
    });
  }
}
