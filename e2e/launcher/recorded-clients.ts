import { DecidedHistory, type ObjectInput, type ObjectOutput } from '#testkit';
import type { Cluster } from './cluster';
import type { ClusterNode } from './cluster-node';
import { NodeChoice, pick } from './node-choice';
import { NodeRequests, type NodeRequest, type Reply } from './node-requests';
import { RecordedAgent } from './recorded-agent';
import { RecordedHistory } from './recorded-history';
import { until } from './until';
import { readHistory, writeLast } from './watch-history';

export interface RecordedClientsOptions {
  readonly ns: string;
  readonly clients?: number;
  /** Clients beside these that take leases, write batches, and repeat what they cannot tell the outcome of. */
  readonly agents?: number;
  readonly keys?: number;
  /** Where requests go: every node by default, also those that are down. */
  readonly nodes?: () => readonly ClusterNode[];
  /** Between the requests of one client: what is to be read back position by position should be short. */
  readonly thinkMs?: number;
}

/** What became of one request: it had this answer, it never had an effect, or nobody knows. */
type Outcome = { readonly output: ObjectOutput } | 'refused' | 'unknown';

/** Between the requests of a client that was refused. */
const REFUSED_PAUSE_MS = 20;

/**
 * Clients that put, get and delete a few objects through random nodes while the test breaks things, and note every
 * call and answer. What they noted must be linearizable; that no acknowledged write is lost follows from it, because
 * at the end every object is read through every node.
 */
export class RecordedClients {
  private readonly history = new RecordedHistory();
  private readonly requests: NodeRequests;
  private readonly keys: readonly string[];
  private readonly running: Promise<unknown>;
  private stopping = false;
  private over = false;
  private values = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: RecordedClientsOptions,
  ) {
    const { clients = 8, agents = 0, keys = 12 } = options;
    this.requests = new NodeRequests(options.ns);
    this.keys = Array.from({ length: keys }, (_, at) => `key-${at}`);
    this.running = Promise.all([
      ...Array.from({ length: clients }, (_, client) => this.client(client)),
      ...Array.from({ length: agents }, (_, agent) => this.agent(agent).run()),
    ]);
    cluster.atEnd(() => {
      this.stopping = true;
      this.over = true;
      this.requests.close();
    });
  }

  get acknowledged(): number {
    return this.history.acknowledgedAtMs.length;
  }

  /** Resolves after this many further writes were acknowledged. */
  async writes(count: number): Promise<void> {
    const target = this.acknowledged + count;
    await until(`${count} further writes`, () => this.acknowledged >= target);
  }

  /** The longest time without an acknowledged write since a moment of `performance.now()`. */
  longestPauseMs(sinceMs: number): number {
    let longest = 0;
    let last = sinceMs;
    for (const at of this.history.acknowledgedAtMs) {
      if (at < sinceMs) continue;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, this.stopping ? 0 : performance.now() - last);
  }

  /** Answers so far, by operation and status. */
  get summary(): string {
    return this.history.summary;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /**
   * Stops, reads every object and every change through every node that runs, and gives what is wrong: nothing, if all
   * is well.
   */
  async check(): Promise<readonly string[]> {
    await this.stop();
    const readers = this.cluster.up;
    for (const node of readers) {
      for (const id of this.keys) {
        await until(`a read of ${id} through ${node.name}`, () =>
          this.perform('reader', node, { op: 'get', id }),
        );
      }
    }
    this.requests.close();
    const decided = new DecidedHistory([this.options.ns], (id) => !this.keys.includes(id));
    const last = await until('the last write', () => writeLast(readers, this.options.ns));
    try {
      for (const node of readers)
        decided.compareBatches(node.name, this.options.ns, await readHistory(node, this.options.ns, last));
    } catch (error) {
      return [String(error)];
    }
    return this.history.judge(decided);
  }

  private choice(client: number): NodeChoice {
    const { nodes } = this.cluster;
    return new NodeChoice(() => this.options.nodes?.() ?? nodes, nodes[client % nodes.length]);
  }

  private agent(agent: number): RecordedAgent {
    return new RecordedAgent({
      name: `agent-${agent}`,
      ns: this.options.ns,
      ids: this.keys,
      requests: this.requests,
      choice: this.choice(agent),
      history: this.history,
      isStopping: () => this.stopping,
      isOver: () => this.over,
    });
  }

  private async client(client: number): Promise<void> {
    const choice = this.choice(client);
    while (!this.stopping) {
      const isDone = await choice.ask(
        (node) => this.perform(client, node, this.operation()),
        (isServed) => isServed,
      );
      const pauseMs = isDone ? this.options.thinkMs : REFUSED_PAUSE_MS;
      if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  private operation(): ObjectInput {
    const id = pick(this.keys);
    const kind = Math.random();
    if (kind < 0.35) return { op: 'get', id };
    if (kind < 0.42) return { op: 'delete', id };
    const value = JSON.stringify(`v${++this.values}`);
    const ifMatch = kind < 0.7 ? this.history.newest.get(id) : undefined;
    return { op: 'put', id, value, ...(ifMatch !== undefined && { ifMatch }) };
  }

  /** Whether it had an answer. */
  private async perform(process: string | number, node: ClusterNode, input: ObjectInput): Promise<boolean> {
    const { history } = this;
    const handle = history.objects.call(process, input);
    let outcome: Outcome;
    try {
      const reply = await this.requests.send(node, requestOf(input));
      history.count(`${input.op} ${reply.status}`);
      outcome = outcomeOf(input, reply);
    } catch (error) {
      const { code = 'broken' } = error as NodeJS.ErrnoException;
      history.count(`${input.op} ${code}`);
      outcome = code === 'ECONNREFUSED' ? 'refused' : 'unknown';
    }
    if (outcome === 'refused') history.withoutEffect.add(handle);
    if (typeof outcome === 'string') return false;
    const { output } = outcome;
    history.objects.complete(handle, output);
    if (output.kind === 'found' || output.kind === 'ok') history.told(output.commitSeq ?? 0);
    if (output.kind === 'found' || (output.kind === 'ok' && input.op === 'put')) {
      history.newest.set(input.id, output.commitSeq ?? 0);
    }
    if (output.kind === 'ok') history.acknowledgedAtMs.push(performance.now());
    return true;
  }
}

function requestOf(input: ObjectInput): NodeRequest {
  const { op, id } = input;
  const ifMatch = op === 'get' ? undefined : input.ifMatch;
  return {
    method: op.toUpperCase(),
    path: `/objects/${id}`,
    ...(ifMatch !== undefined && { headers: { 'if-match': `"${ifMatch}"` } }),
    ...(op === 'put' && { body: { body: JSON.parse(input.value) as unknown } }),
  };
}

function outcomeOf(input: ObjectInput, { status, headers, json }: Reply): Outcome {
  switch (status) {
    case 200: {
      const commitSeq = Number(json?.['commit_seq']);
      return input.op === 'get'
        ? { output: { kind: 'found', value: JSON.stringify(json?.['body']), commitSeq } }
        : { output: { kind: 'ok', commitSeq } };
    }
    case 204:
      return { output: { kind: 'ok', commitSeq: Number(headers['x-commit-seq']) } };
    case 404:
      return { output: { kind: 'absent' } };
    case 412:
      return {
        output: { kind: 'precondition_failed', currentCommitSeq: Number(json?.['current_commit_seq'] ?? 0) },
      };
    // CONTRACT section 6: these say that nothing happened.
    case 503:
    case 507:
      return 'refused';
    case 504:
      return 'unknown';
    default:
      throw new Error(`${input.op} answered ${status}: ${JSON.stringify(json)}`);
  }
}
