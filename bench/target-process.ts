import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = path.join(__dirname, '../../bin/agentstate');
const BARE_HANDLER = path.join(__dirname, 'bare-handler.js');
/** Those that the first line of bin/agentstate gives Node: what is compared has the same. */
const FLAGS = readFileSync(PROGRAM, 'utf8').split('\n', 1)[0]?.match(/--\S+/g) ?? [];

const READY_POLL_MS = 10;

/** Memory of a process in MiB, now or at its highest, as Linux counts it; `NaN` of one that is gone. */
export function memoryMib(processId: number | undefined, which: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

/** A process under measurement, on a port of its own. */
export class TargetProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static bareHandler(): Promise<TargetProcess> {
    return TargetProcess.start(process.execPath, [...FLAGS, BARE_HANDLER], {});
  }

  /** Resolves once the node is ready, which is later than that it listens. */
  static async server(dataDir: string, more: NodeJS.ProcessEnv = {}): Promise<TargetProcess> {
    const environment = {
      DEV_MODE: 'true',
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'info',
      ...more,
    };
    const server = await TargetProcess.start(PROGRAM, ['serve'], environment);
    await server.untilOk('/ready');
    return server;
  }

  /** Another program, which will listen on `port` and answer 200 at `healthPath` when it can work. */
  static async program(
    command: string,
    args: readonly string[],
    { port, healthPath }: { readonly port: number; readonly healthPath: string },
  ): Promise<TargetProcess> {
    const child = spawn(command, args, { stdio: 'ignore' });
    const program = new TargetProcess(child, port);
    await program.untilOk(healthPath);
    return program;
  }

  private static async start(
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
  ): Promise<TargetProcess> {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { http_port: port } = JSON.parse(line) as { http_port?: number };
      if (port === undefined) continue;
      // What it logs from here on is of no interest, but an unread pipe would stop it.
      child.stdout.resume();
      return new TargetProcess(child, port);
    }
    throw new Error(`${program} ended before it listened`);
  }

  /** Resident memory in MiB, as Linux counts it. */
  residentMib(): number {
    return memoryMib(this.child.pid, 'VmRSS');
  }

  /** Processor time of all its threads so far, in milliseconds, in the 10 ms steps that Linux counts it in. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.ended) return;
    const closed = once(this.child, 'exit');
    this.child.kill(signal);
    await closed;
  }

  private async untilOk(path: string): Promise<void> {
    while (!(await this.isOk(path))) {
      if (this.ended) throw new Error(`a process ended before it answered ${path}`);
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  private async isOk(path: string): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.port}${path}`)).ok;
    } catch {
      return false;
    }
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
