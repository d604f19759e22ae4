import { execFile } from 'node:child_process';
import path from 'node:path';

const PROGRAM = path.join(__dirname, '../../bin/agentstate');

export interface Ran {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Put over what the program inherits. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A module that is loaded before the program. */
  readonly before?: string;
  /** Ends it with SIGKILL after this many milliseconds. */
  readonly killAfterMs?: number;
}

/** Runs a command of `bin/agentstate` to its end. */
export function agentstate(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { environment, before, killAfterMs } = options;
  const loaded = before === undefined ? [] : ['--import', before];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...loaded, PROGRAM, ...args],
      { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => {
        clearTimeout(timer);
        const signal = error?.signal ?? undefined;
        const code = error === null ? 0 : signal === undefined ? Number(error.code) : -1;
        resolve({ code, signal, out, err });
      },
    );
    const kill = (): void => void child.kill('SIGKILL');
    const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  });
}

/** The bodies of all objects in the folder of a stopped node, by id. */
export async function dumped(dataDir: string): Promise<Record<string, unknown>> {
  const { code, out, err } = await agentstate(['admin', 'dump', '--data-dir', dataDir]);
  if (code !== 0) throw new Error(`admin dump ended with ${code}: ${err}`);
  const objects = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; body: unknown });
  return Object.fromEntries(objects.map(({ id, body }) => [id, body]));
}
