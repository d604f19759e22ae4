import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = path.join(__dirname, '../../../sdks/conformance/server.mjs');

/** What a script says: see sdks/conformance/README.md. */
export interface Script {
  readonly servers?: number;
  readonly down?: readonly number[];
  readonly steps: readonly unknown[];
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Report {
  readonly requests: readonly SeenRequest[];
  readonly problems: readonly string[];
  readonly flooded_bytes: number;
}

export interface RunningScript {
  readonly urls: readonly string[];
  /** What has been asked so far. */
  report(): Promise<Report>;
  /** Ends its servers. */
  close(): Promise<Report>;
}

/** The scripted server as a process of its own, over real sockets. One for a file of tests. */
export class ScriptedServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly control: string,
  ) {}

  static async start(): Promise<ScriptedServer> {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = child;
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: stdout }).once('line', resolve);
      child.once('close', (code) => reject(new Error(`the scripted server ended with ${String(code)}`)));
    });
    return new ScriptedServer(child, (JSON.parse(line) as { control: string }).control);
  }

  async play(script: Script): Promise<RunningScript> {
    const started = (await this.ask('POST', '', script)) as { id: string; urls: readonly string[] };
    return {
      urls: started.urls,
      report: () => this.ask('GET', started.id) as Promise<Report>,
      close: () => this.ask('DELETE', started.id) as Promise<Report>,
    };
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin?.end();
    await closed;
  }

  private async ask(method: string, id: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.control}/${id}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    return response.json();
  }
}
