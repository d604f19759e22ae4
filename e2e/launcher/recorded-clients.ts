import http from 'node:http';
import {
  type CheckResult,
  checkHistory,
  findCommitOrderFaults,
  HistoryRecorder,
  type ObjectInput,
  objectModel,
  type ObjectOutput,
} from '#testkit';
import type { Cluster } from './cluster';
import type { ClusterNode } from './cluster-node';
import { until } from './until';

export interface RecordedClientsOptions {
  readonly ns: string;
  readonly clients?: number;
  readonly keys?: number;
  /** Where requests go: every node by default, also those that are down. */
  readonly nodes?: () => readonly ClusterNode[];
  /** Between the requests of one client: what is to be read back position by position should be short. */
  readonly thinkMs?: number;
}

/** What became of one request: it had this answer, it never had an effect, or nobody knows. */
type Outcome = { readonly output: ObjectOutput } | 'refused' | 'unknown';

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly json: Record<string, unknown> | undefined;
}

/** After this a client goes on and counts its request as one of unknown outcome. */
const PATIENCE_MS = 2_500;
/** An answer that took longer makes a client avoid the node. */
const SLOW_MS = 1_000;
const AVOID_MS = 6_000;
const MOVE_CHANCE = 0.02;
/** Between the requests of a client that was refused. */
const REFUSED_PAUSE_MS = 20;

/**
 * Clients that put, get and delete a few objects through random nodes while the test breaks things, and note every
 * call and answer. What they noted must be linearizable; that no acknowledged write is lost follows from it, because
 * at the end every object is read through every node.
 */
export class RecordedClients {
  private readonly recorder = new HistoryRecorder<ObjectInput, ObjectOutput>();
  private readonly refused = new Set<number>();
  private readonly acknowledgedAtMs: number[] = [];
  private readonly statuses = new Map<string, number>();
  private readonly known = new Map<string, number>();
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  private readonly keys: readonly string[];
  private readonly running: Promise<unknown>;
  private stopping = false;
  private values = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: RecordedClientsOptions,
  ) {
    this.keys = Array.from({ length: options.keys ?? 12 }, (_, at) => `key-${at}`);
    this.running = Promise.all(
      Array.from({ length: options.clients ?? 8 }, (_, client) => this.client(client)),
    );
    cluster.atEnd(() => {
      this.stopping = true;
      this.agent.destroy();
    });
  }

  get acknowledged(): number {
    return this.acknowledgedAtMs.length;
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
    for (const at of this.acknowledgedAtMs) {
      if (at < sinceMs) continue;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, this.stopping ? 0 : performance.now() - last);
  }

  /** Answers so far, by operation and status. */
  get summary(): string {
    return [...this.statuses]
      .sort()
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /** Stops, reads every object through every node that runs, and gives what is wrong: nothing, if all is well. */
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
    this.agent.destroy();
    const history = this.recorder.history().filter((_, handle) => !this.refused.has(handle));
    const faults = findCommitOrderFaults(history);
    return [...faults, ...verdict(checkHistory(objectModel, history))];
  }

  private async client(client: number): Promise<void> {
    const avoidedUntilMs = new Map<ClusterNode, number>();
    let current = this.cluster.nodes[client % this.cluster.nodes.length];
    while (!this.stopping) {
      const nodes = this.options.nodes?.() ?? this.cluster.nodes;
      const answering = nodes.filter((node) => (avoidedUntilMs.get(node) ?? 0) < performance.now());
      // Clients spread over the nodes and stay there, so that a node that hangs does not catch all of them.
      if (current === undefined || !answering.includes(current) || Math.random() < MOVE_CHANCE) {
        current = pick(answering.length > 0 ? answering : nodes);
      }
      const node = current;
      const askedAtMs = performance.now();
      const done = await this.perform(client, node, this.operation());
      // A client that waited in vain goes elsewhere for a while, as a load balancer would make it.
      if (performance.now() - askedAtMs > SLOW_MS) avoidedUntilMs.set(node, performance.now() + AVOID_MS);
      if (!done) current = undefined;
      const pauseMs = done ? this.options.thinkMs : REFUSED_PAUSE_MS;
      if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  private operation(): ObjectInput {
    const id = pick(this.keys);
    const kind = Math.random();
    if (kind < 0.35) return { op: 'get', id };
    if (kind < 0.42) return { op: 'delete', id };
    const value = `v${++this.values}`;
    const ifMatch = kind < 0.7 ? this.known.get(id) : undefined;
    return { op: 'put', id, value, ...(ifMatch !== undefined && { ifMatch }) };
  }

  /** Whether it had an answer. */
  private async perform(process: string | number, node: ClusterNode, input: ObjectInput): Promise<boolean> {
    const handle = this.recorder.call(process, input);
    let outcome: Outcome;
    try {
      const reply = await this.send(node, input);
      this.count(`${input.op} ${reply.status}`);
      outcome = outcomeOf(input, reply);
    } catch (error) {
      const { code = 'broken' } = error as NodeJS.ErrnoException;
      this.count(`${input.op} ${code}`);
      outcome = code === 'ECONNREFUSED' ? 'refused' : 'unknown';
    }
    if (outcome === 'refused') this.refused.add(handle);
    if (typeof outcome === 'string') return false;
    const { output } = outcome;
    this.recorder.complete(handle, output);
    if (output.kind === 'found' || (output.kind === 'ok' && input.op === 'put')) {
      this.known.set(input.id, output.commitSeq ?? 0);
    }
    if (output.kind === 'ok') this.acknowledgedAtMs.push(performance.now());
    return true;
  }

  private count(what: string): void {
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }

  private send(node: ClusterNode, input: ObjectInput): Promise<Reply> {
    const body = input.op === 'put' ? JSON.stringify({ body: input.value }) : undefined;
    const ifMatch = input.op === 'get' ? undefined : input.ifMatch;
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent: this.agent,
        host: '127.0.0.1',
        port: node.ports.http,
        method: input.op.toUpperCase(),
        path: `/v1/${encodeURIComponent(this.options.ns)}/objects/${input.id}`,
        headers: {
          ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
        },
      });
      const patience = setTimeout(
        () => request.destroy(Object.assign(new Error('no answer'), { code: 'patience' })),
        PATIENCE_MS,
      );
      request.on('close', () => clearTimeout(patience));
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const json = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json });
        });
      });
      request.end(body);
    });
  }
}

function outcomeOf(input: ObjectInput, { status, headers, json }: Reply): Outcome {
  switch (status) {
    case 200:
      return input.op === 'get'
        ? {
            output: { kind: 'found', value: String(json?.['body']), commitSeq: Number(json?.['commit_seq']) },
          }
        : { output: { kind: 'ok', commitSeq: Number(json?.['commit_seq']) } };
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

function verdict(result: CheckResult<ObjectInput, ObjectOutput>): readonly string[] {
  if (result.verdict === 'linearizable') return [];
  return result.verdict === 'illegal' ? [result.explanation] : [`undecided: ${result.reason}`];
}

function pick<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
