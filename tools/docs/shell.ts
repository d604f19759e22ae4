import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

/** Bounds a hang; nothing in a document takes this long. */
const DEADLINE_MS = 60_000;

/** A clean stop of a node takes at most 10 s. */
const STOP_DEADLINE_MS = 15_000;

interface Started {
  readonly child: ChildProcess;
  /** Its exit code, once all that holds its output has ended. */
  readonly closed: Promise<number | null>;
  readonly output: () => string;
}

/** Where a reader's terminals are, and what is set in each of them. */
export interface ShellOptions {
  /** The folder that commands begin in. */
  readonly cwd: string;
  /** The shells' own, for what they remember. */
  readonly stateFolder: string;
  /** The whole environment. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A reader's terminal: what one block exports, the next one has. */
export class Shell {
  private readonly running: Started[] = [];
  private readonly stateFile: string;

  constructor(private readonly options: ShellOptions) {
    this.stateFile = path.join(options.stateFolder, 'exported');
  }

  /** Resolves to what the block printed, once it has succeeded. */
  async run(commands: string): Promise<string> {
    const started = this.start(`${commands}\nexport -p >'${this.stateFile}'`);
    const timer = setTimeout(() => end(started.child, 'SIGKILL'), DEADLINE_MS);
    const code = await started.closed;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`exit code ${String(code)}:\n${commands}\n----\n${started.output()}`);
    return started.output();
  }

  /** Starts the block in another terminal; the result gives what it has printed until now. */
  leaveRunning(commands: string): () => string {
    const started = this.start(commands);
    this.running.push(started);
    return started.output;
  }

  /** Resolves when all that was left running has ended, with what that had started: it still writes while it stops. */
  async close(): Promise<void> {
    const ended = this.running.splice(0).map(({ child, closed }) => {
      end(child, 'SIGTERM');
      const timer = setTimeout(() => end(child, 'SIGKILL'), STOP_DEADLINE_MS);
      return closed.finally(() => clearTimeout(timer));
    });
    await Promise.all(ended);
  }

  private start(commands: string): Started {
    const script = `if [ -e '${this.stateFile}' ]; then . '${this.stateFile}'; fi\n${commands}`;
    // A process group of its own, so that ending a block ends what it started.
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.options.cwd,
      env: this.options.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { child, closed, output: () => Buffer.concat(chunks).toString('utf8') };
  }
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}
