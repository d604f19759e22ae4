import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

// From dist/tools/cluster, where this runs.
const PROGRAM = path.join(__dirname, '../../../bin/agentstate');
/** A node stops by itself within 10 s; one that does not is stuck. */
const STOP_LIMIT_MS = 12_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was told to stop. */
  readonly wanted: boolean;
}

/** One running `agentstate serve`. */
export class NodeProcess {
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private wanted = false;

  constructor(environment: NodeJS.ProcessEnv, onLine: (line: string) => void) {
    // A process group of its own: Ctrl-C reaches the runner alone, which stops the nodes once and in order.
    this.child = spawn(PROGRAM, ['serve'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', onLine);
    }
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        onLine(`could not be started: ${error.message}`);
        resolve({ code: 1, signal: null, wanted: false });
      });
      this.child.on('close', (code, signal) => resolve({ code, signal, wanted: this.wanted }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** As a power cut: nothing is flushed, nobody is told. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** A clean stop; resolves when the process is gone. */
  async stop(): Promise<Ended> {
    this.wanted = true;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }
}
