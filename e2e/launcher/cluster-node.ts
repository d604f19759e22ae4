import { readdir, rm } from 'node:fs/promises';
import { type Exit, ServerProcess } from './server-process';
import { until } from './until';

export interface NodePorts {
  readonly http: number;
  readonly admin: number;
  readonly peer: number;
}

/** What one node says of one group. */
export interface GroupSight {
  readonly term: number;
  readonly isLeader: boolean;
  readonly commit: number;
  readonly applied: number;
}

const TAIL_LINES = 40;
const LOOK_TIMEOUT_MS = 1_000;

/** One node of a cluster under test: its folder and ports stay when its process goes. */
export class ClusterNode {
  private running: ServerProcess | undefined;
  private paused = false;

  constructor(
    readonly name: string,
    readonly dataDir: string,
    readonly ports: NodePorts,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  /** Its process is there and not frozen. */
  get isUp(): boolean {
    return this.running?.isRunning === true && !this.paused;
  }

  /** Starts the process and waits for nothing. */
  spawn(environment: Readonly<Record<string, string>> = {}): ServerProcess {
    if (this.running?.isRunning === true) throw new Error(`${this.name} is running already`);
    this.paused = false;
    this.running = ServerProcess.spawn({
      dataDir: this.dataDir,
      environment: { ...this.environment, ...environment },
    });
    return this.running;
  }

  /** Starts the process and waits until it is ready: every group has a leader and this node has caught up. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.spawn(environment).started();
  }

  async kill(): Promise<void> {
    await this.running?.kill();
  }

  async terminate(): Promise<Exit> {
    return this.process.stop();
  }

  /** Of the process that runs, or ran last. */
  get processId(): number {
    return this.process.processId;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Resolves when the process ends by itself. */
  async ended(): Promise<Exit> {
    return this.process.exit;
  }

  pause(): void {
    this.paused = true;
    this.process.pause();
  }

  resume(): void {
    this.paused = false;
    this.process.resume();
  }

  /** A new disk: everything that the node knew is gone. */
  async emptyDisk(): Promise<void> {
    for (const entry of await readdir(this.dataDir)) {
      await rm(`${this.dataDir}/${entry}`, { recursive: true, force: true });
    }
  }

  /** What this node says of a group, or `undefined` while it says nothing. */
  async group(group = 1): Promise<GroupSight | undefined> {
    if (!this.isUp) return undefined;
    const text = await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) })
      .then((response) => response.text())
      .catch(() => '');
    const gauge = (name: string): number => {
      const line = new RegExp(`^${name}\\{group="${group}"\\} (\\S+)$`, 'm').exec(text);
      return line === null ? NaN : Number(line[1]);
    };
    const term = gauge('raft_term');
    if (Number.isNaN(term)) return undefined;
    return {
      term,
      isLeader: gauge('raft_is_leader') === 1,
      commit: gauge('raft_commit_index'),
      applied: gauge('raft_applied_index'),
    };
  }

  /** Resolves when the node has applied this much of the group's log. */
  async reaches(index: number): Promise<void> {
    await until(`${this.name} to apply ${index}`, async () => ((await this.group())?.applied ?? 0) >= index);
  }

  get output(): string {
    return this.running?.output ?? '';
  }

  /** The newest lines of the log, for the message of a failed test. */
  get tail(): string {
    const lines = this.output.split('\n').slice(-TAIL_LINES);
    return [`--- ${this.name} (${this.isUp ? 'running' : 'down or frozen'})`, ...lines].join('\n');
  }

  private get process(): ServerProcess {
    if (this.running === undefined) throw new Error(`${this.name} was never started`);
    return this.running;
  }
}
