import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';

/** Where packages put it that is not always on a person's path. */
const FURTHER_FOLDERS = ['/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
const STOP_LIMIT_MS = 3_000;

/** The `nats-server` of this machine, if one is installed. */
export async function findNats(searchPath = process.env['PATH'] ?? ''): Promise<string | undefined> {
  for (const folder of [...searchPath.split(path.delimiter), ...FURTHER_FOLDERS]) {
    const program = path.join(folder, 'nats-server');
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return undefined;
}

/** A real NATS server beside the nodes, on loopback. */
export class NatsProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private stopping = false;

  constructor(program: string, port: number, onEnd: (why: string) => void) {
    // A process group of its own, as the nodes have: Ctrl-C reaches the runner alone.
    this.child = spawn(program, ['--addr', '127.0.0.1', '--port', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let last = '';
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const told = text.split('\n').filter((line) => line.includes('[FTL]') || line.includes('[ERR]'));
      last = told.at(-1) ?? last;
    });
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        onEnd(error.message);
        resolve();
      });
      this.child.on('close', (code, signal) => {
        if (!this.stopping) onEnd(last === '' ? `${signal ?? `exit code ${code}`}` : last);
        resolve();
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.ended;
    clearTimeout(timer);
  }
}
