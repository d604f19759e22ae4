import { readableLine } from './log-line';
import { type Ended, NodeProcess } from './node-process';
import { type ClusterNode, environmentOf } from './settings';

/** Says something about a node (with its name before it) or, without one, about all. */
export type Say = (text: string, node?: ClusterNode) => void;

/** The nodes of one cluster on this machine: started, watched over, killed and started again as a person likes. */
export class Cluster {
  private readonly running = new Map<ClusterNode, NodeProcess>();
  private stopping = false;
  private readonly whenAllEnded: () => void;
  /** Resolves when no node runs any more. */
  readonly allEnded: Promise<void>;

  constructor(
    private readonly nodes: readonly ClusterNode[],
    private readonly say: Say,
    private readonly natsUrl?: string,
  ) {
    let whenAllEnded = (): void => undefined;
    this.allEnded = new Promise((resolve) => (whenAllEnded = resolve));
    this.whenAllEnded = whenAllEnded;
  }

  pidOf(node: ClusterNode): number | undefined {
    return this.running.get(node)?.pid;
  }

  start(node: ClusterNode): void {
    if (this.running.has(node) || this.stopping) return;
    const started = new NodeProcess(environmentOf(node, this.nodes, process.env, this.natsUrl), (line) =>
      this.say(readableLine(line), node),
    );
    this.running.set(node, started);
    void started.ended.then((ended) => this.ended(node, ended));
  }

  /** Kills a node that runs, starts one that does not. */
  toggle(node: ClusterNode): void {
    const running = this.running.get(node);
    if (running !== undefined) return running.kill();
    this.start(node);
    this.say(`started again, pid ${this.pidOf(node)}`, node);
  }

  /** Stops all cleanly; idempotent. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.running.values()].map((node) => node.stop()));
  }

  private ended(node: ClusterNode, { code, signal, wanted }: Ended): void {
    this.running.delete(node);
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    // One that was still starting has not yet asked for its signals, and is ended by the first.
    if (wanted && (code === 0 || signal === 'SIGTERM')) this.say('stopped', node);
    else this.say(`${how}; start it again: ${this.again(node)}`, node);
    if (this.running.size === 0) this.whenAllEnded();
  }

  private again(node: ClusterNode): string {
    const command = `npm run cluster -- start ${node.name}`;
    return process.stdin.isTTY ? `type ${this.nodes.indexOf(node) + 1} and Enter, or ${command}` : command;
  }
}
