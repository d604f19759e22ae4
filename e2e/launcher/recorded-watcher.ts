import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeBatch } from '#contracts';
import { checkWatchStream, type SseEvent, SseParser } from '#testkit';
import type { Cluster } from './cluster';
import type { ClusterNode } from './cluster-node';
import { until } from './until';
import { readEvents, readHistory, writeLast } from './watch-history';

interface Connection {
  /** `from_commit`, or one more than the `Last-Event-ID` that it resumed with. */
  readonly from: number;
  readonly node: string;
  readonly events: SseEvent[];
}

const RETRY_MS = 50;
/** A bookmark comes every 5 s: a stream that is silent for longer is on a node that is frozen or cut off. */
const SILENCE_MS = 8_000;

/**
 * Watches a namespace from its first change on, coming back through another node with `Last-Event-ID` whenever its
 * stream breaks, and keeps all that it was sent.
 */
export class RecordedWatcher {
  private readonly connections: Connection[] = [];
  private readonly refusals = new Map<number, number>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private lastEventId = 0;

  constructor(
    cluster: Cluster,
    private readonly ns: string,
    private readonly nodes: () => readonly ClusterNode[] = () => cluster.nodes,
  ) {
    this.running = this.run();
    cluster.atEnd(() => this.stopping.abort());
  }

  get resumes(): number {
    return this.connections.length - 1;
  }

  /** Stops once the stream has come to `position`; gives what was wrong with it, compared with the history. */
  async check(history: readonly ChangeBatch[]): Promise<readonly string[]> {
    const reached = history.at(-1)?.commitSeq ?? 0;
    await until(`a watcher of ${this.ns} to come to ${reached}`, () => this.lastEventId >= reached);
    this.stopping.abort();
    await this.running;
    const gone = this.refusals.get(410);
    return [
      ...(gone === undefined ? [] : [`${gone} resumptions were refused with 410`]),
      ...this.connections.flatMap(({ from, node, events }, at) =>
        checkWatchStream(
          {
            ns: this.ns,
            filter: {},
            from,
            initial: false,
            events,
            ...(at === this.connections.length - 1 && { reached }),
          },
          history,
        ).map((fault) => `connection ${at} to ${node}: ${fault}`),
      ),
    ];
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const candidates = this.nodes();
      const node = candidates[Math.floor(Math.random() * candidates.length)];
      if (node !== undefined) await this.connect(node).catch(() => undefined);
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async connect(node: ClusterNode): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await fetch(`${node.url}/v1/${encodeURIComponent(this.ns)}/watch?from_commit=1`, {
        headers: this.lastEventId === 0 ? {} : { 'last-event-id': `${this.lastEventId}` },
        signal: AbortSignal.any([this.stopping.signal, silence.signal]),
      });
      if (!response.ok || response.body === null) {
        this.refusals.set(response.status, (this.refusals.get(response.status) ?? 0) + 1);
        return;
      }
      const connection: Connection = { from: this.lastEventId + 1, node: node.name, events: [] };
      this.connections.push(connection);
      const parser = new SseParser();
      for await (const bytes of response.body) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const event of parser.push(bytes as Uint8Array)) {
          connection.events.push(event);
          if (event.id !== undefined) this.lastEventId = Number(event.id);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Writes a last object, reads the whole history through every node that runs, and compares: all nodes must tell the
 * same, and every watcher must have been sent exactly that. Gives what is wrong.
 */
export async function checkWatchers(
  cluster: Cluster,
  ns: string,
  watchers: readonly RecordedWatcher[],
): Promise<readonly string[]> {
  const last = await until('the last write', () => writeLast(cluster.up, ns));
  const histories = await Promise.all(
    cluster.up.map(async (node) => ({ node, history: await readHistory(node, ns, last) })),
  );
  const [first] = histories;
  if (first === undefined) throw new Error('no node runs');
  const differing = histories
    .filter(({ history }) => asText(history) !== asText(first.history))
    .map(({ node }) => `${node.name} tells another history than ${first.node.name}`);
  const faults = await Promise.all(watchers.map((watcher) => watcher.check(first.history)));
  return [...differing, ...faults.flat()];
}

/** Streams that are read at once by {@link checkResumes}, and how many changes of each. */
const RESUMES_AT_ONCE = 12;
const RESUMED_CHANGES = 3;

/**
 * Resumes after every position of a namespace's history in turn, through the running nodes one after the other, and
 * gives what is wrong: each stream must begin with exactly the next changes of the history.
 */
export async function checkResumes(cluster: Cluster, ns: string): Promise<readonly string[]> {
  const nodes = cluster.up;
  const last = await until('the last write', () => writeLast(nodes, ns));
  const history = await readHistory(nodes[0]!, ns, last);
  let next = 0;
  const faults: string[] = [];
  const worker = async (): Promise<void> => {
    while (next + 1 < history.length) {
      const at = next++;
      const node = nodes[at % nodes.length]!;
      const after = history[at]!.commitSeq;
      const reached = history[Math.min(at + RESUMED_CHANGES, history.length - 1)]!.commitSeq;
      const events = await readEvents(node, ns, { 'last-event-id': `${after}` }, reached);
      const stream = { ns, filter: {}, from: after + 1, initial: false, events, reached };
      for (const fault of checkWatchStream(stream, history))
        faults.push(`resumed after ${after} at ${node.name}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: RESUMES_AT_ONCE }, worker));
  return faults;
}

function asText(history: readonly ChangeBatch[]): string {
  return JSON.stringify(
    history.map(({ commitSeq, events }) => [
      commitSeq,
      events.map(({ kind, id, object }) => [kind, id, object && Buffer.from(object).toString()]),
    ]),
  );
}
