import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const PROGRAM = path.join(__dirname, '../../bin/agentstate');
/** Long, because the machine may be busy: it bounds a hang, it measures nothing. */
const START_DEADLINE_MS = 60_000;
const READY_POLL_MS = 20;
/** CONTRACT section 1: a clean stop takes at most 10 s. */
const STOP_DEADLINE_MS = 10_000;
/** Output kept for the message of a failed test. */
const OUTPUT_LINES = 200;

const STARTED = new Set<ChildProcess>();

// A test that ran out of time never gets to its own cleaning up.
afterAll(() => {
  for (const child of STARTED) child.kill('SIGKILL');
});

export interface ServerOptions {
  readonly dataDir: string;
  /** Added to, or put over, a node in dev mode on free ports. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real `agentstate serve`, which a test may stop in every way that a machine can. */
export class ServerProcess {
  private readonly lines: string[] = [];
  /** Resolves when the process has ended, for whatever reason. */
  readonly exit: Promise<Exit>;
  private ports: { readonly http: number; readonly admin: number } | undefined;

  private constructor(private readonly child: ChildProcess) {
    this.exit = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) throw new Error('the output of the server is piped');
      createInterface({ input: stream }).on('line', (line) => this.take(line));
    }
  }

  /** Resolves once the server has said in its log where it listens, and answers there that it is ready. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = ServerProcess.spawn(options);
    await server.started();
    return server;
  }

  /** Resident memory, as Linux counts it. */
  residentMib(): number {
    const status = readFileSync(`/proc/${this.processId}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  /** Starts the program and waits for nothing: a node of a cluster may need others to become ready, or to refuse. */
  static spawn(options: ServerOptions): ServerProcess {
    const child = spawn(process.execPath, [PROGRAM, 'serve'], {
      // Only what a program needs to run: no key or port of the caller's shell may leak into a test.
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        DEV_MODE: 'true',
        HTTP_PORT: '0',
        ADMIN_PORT: '0',
        DATA_DIR: options.dataDir,
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    STARTED.add(child);
    child.once('close', () => STARTED.delete(child));
    return new ServerProcess(child);
  }

  get httpPort(): number {
    return this.listening().http;
  }

  get url(): string {
    return `http://127.0.0.1:${this.listening().http}`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.listening().admin}`;
  }

  get processId(): number {
    if (this.child.pid === undefined) throw new Error('the server was never started');
    return this.child.pid;
  }

  /** The newest lines of its log. */
  get output(): string {
    return this.lines.join('\n');
  }

  /** Power cut: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Freezes the process, as a stalled machine does. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** A clean stop. One that takes longer than it may is killed, and an error. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    const exit = await within(STOP_DEADLINE_MS, this.exit);
    if (exit !== undefined) return exit;
    await this.kill();
    throw new Error(`the server did not stop within ${STOP_DEADLINE_MS} ms of ${signal}:\n${this.output}`);
  }

  /** Resolves when the server is ready; kills it and rejects with its log when that takes too long or it ends. */
  async started(): Promise<void> {
    const listening = new Promise<'listening'>((resolve) => {
      this.child.on('listening-line', () => resolve('listening'));
    });
    const first = await within(START_DEADLINE_MS, Promise.race([listening, this.exit]));
    if (first === 'listening' && (await within(START_DEADLINE_MS, this.ready())) === true) return;
    await this.kill();
    throw new Error(`the server did not start (${JSON.stringify(first ?? 'too slow')}):\n${this.output}`);
  }

  /** A node listens before its groups have a leader, and answers 503 until then. */
  private async ready(): Promise<boolean> {
    while (this.isRunning) {
      const status = await fetch(`${this.url}/ready`).then(
        (response) => response.status,
        () => undefined,
      );
      if (status === 200) return true;
      await delay(READY_POLL_MS);
    }
    return false;
  }

  private take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > OUTPUT_LINES) this.lines.shift();
    if (this.ports !== undefined) return;
    this.ports = portsOf(line);
    if (this.ports !== undefined) this.child.emit('listening-line');
  }

  private listening(): { readonly http: number; readonly admin: number } {
    if (this.ports === undefined) throw new Error('the server has not said yet where it listens');
    return this.ports;
  }
}

/** The start line of the log names both ports. */
function portsOf(line: string): { readonly http: number; readonly admin: number } | undefined {
  if (!line.startsWith('{')) return undefined;
  const { http_port: http, admin_port: admin } = JSON.parse(line) as Record<string, unknown>;
  return typeof http === 'number' && typeof admin === 'number' ? { http, admin } : undefined;
}

/** `undefined` when the deadline comes first. */
async function within<Value>(deadlineMs: number, value: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), deadlineMs);
  });
  const first = await Promise.race([value, late]);
  clearTimeout(timer);
  return first;
}
