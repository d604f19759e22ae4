import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { freePorts } from './free-ports';
import { until } from './until';

/** Where Debian's package puts it: not always on a user's path. */
const PROGRAMS = ['nats-server', '/usr/sbin/nats-server', '/usr/bin/nats-server'];

function program(): string {
  const found = PROGRAMS.find((one) =>
    one.includes('/') ? existsSync(one) : spawnSync(one, ['--version']).status === 0,
  );
  if (found === undefined) {
    throw new Error('these tests need a real NATS server; install it with: apt-get install nats-server');
  }
  return found;
}

/** A real `nats-server` process; it comes back on the port that it had. */
export class NatsServer {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly port: number,
    private readonly args: readonly string[],
  ) {}

  static async start(args: readonly string[] = []): Promise<NatsServer> {
    const [port = 0] = await freePorts(1);
    const server = new NatsServer(port, args);
    await server.again();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async again(): Promise<void> {
    const child = spawn(program(), ['--addr', '127.0.0.1', '--port', `${this.port}`, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    await until(`NATS to listen: ${this.output}`, () => reachable(this.port));
  }

  /** As a power cut. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }
}

function reachable(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(undefined));
  });
}
