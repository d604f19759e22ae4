import net from 'node:net';
import type { LoadRequest } from './workload';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * One HTTP/1.1 connection with one request on its way at a time. It understands just what the servers measured
 * here send (a status line, Content-Length, a body): every cycle spent here is one the server does not get.
 */
export class RawConnection {
  private received: Buffer = Buffer.alloc(0);
  private answered: ((status: number) => void) | undefined;
  private closing = false;

  private constructor(
    private readonly socket: net.Socket,
    onBroken: (error: Error) => void,
  ) {
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('error', onBroken);
    socket.on('close', () => {
      if (!this.closing) onBroken(new Error('the server closed a connection'));
    });
  }

  /** `onBroken` runs when the connection ends for another reason than `close`. */
  static open(port: number, onBroken: (error: Error) => void): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket, onBroken));
      });
    });
  }

  send(request: Buffer, answered: (status: number) => void): void {
    this.answered = answered;
    this.socket.write(request);
  }

  close(): void {
    this.closing = true;
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: ?(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length:\n${head}`);
    if (this.received.length < headEnd + HEAD_END.length + Number(length)) return;
    this.received = Buffer.alloc(0);
    const answered = this.answered;
    this.answered = undefined;
    answered?.(Number(head.slice(9, 12)));
  }
}

/** The bytes of one request. */
export function requestBytes({ method, path, body, contentType = 'application/json' }: LoadRequest): Buffer {
  const content =
    body === undefined
      ? ''
      : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${content}\r\n${body ?? ''}`);
}
