import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster';
import { Client, type StoredObject } from './client';
import { until } from './until';

export interface SteadyClientsOptions {
  readonly ns: string;
  readonly clients?: number;
  /** Asked for each request, so that a test can change what clients carry. */
  readonly token?: () => string;
}

/** As many as an SDK would make. */
const ATTEMPTS_MAX = 6;
const PAUSE_MS = 50;
const KEYS_PER_CLIENT = 10;

/**
 * Clients that write one value after the other, each to keys of its own, and go to the next node when one does not
 * serve them: what an application with an SDK does while nodes are restarted. A request fails only when its last
 * attempt did.
 */
export class SteadyClients {
  /** Key to the value of the last acknowledged write. */
  private readonly acknowledged = new Map<string, number>();
  private readonly errors = new Map<string, number>();
  private readonly failures: string[] = [];
  private readonly running: Promise<unknown>;
  private stopping = false;
  private writeCount = 0;
  private attemptsMax = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: SteadyClientsOptions,
  ) {
    const clients = Array.from({ length: options.clients ?? 8 }, (_, client) => this.run(client));
    this.running = Promise.all(clients);
    cluster.atEnd(() => (this.stopping = true));
  }

  get writes(): number {
    return this.writeCount;
  }

  async furtherWrites(count: number): Promise<void> {
    const target = this.writeCount + count;
    await until(`${count} further writes`, () => this.writeCount >= target || this.failures.length > 0);
  }

  /** What clients met before they tried again, for instance `503 draining` or `ECONNREFUSED`, and how often. */
  get errorsBeforeRetries(): ReadonlyMap<string, number> {
    return this.errors;
  }

  get summary(): string {
    const met = [...this.errors].map(([what, count]) => `${count} × ${what}`).join(', ');
    return `${this.writeCount} writes, before retries: ${met || 'no error'}; at most ${this.attemptsMax} attempts`;
  }

  /** Ends the clients; gives what failed for good, and every write that was acknowledged and is not there. */
  async check(): Promise<readonly string[]> {
    this.stopping = true;
    await this.running;
    const wrong = [...this.failures];
    for (const node of this.cluster.nodes) {
      for (const [key, value] of this.acknowledged) {
        const { status, body } = await this.client(node.url).get(key);
        const found = status === 200 ? (body.body as { value: number }).value : status;
        if (found !== value) wrong.push(`${key} at ${node.name}: ${found}, acknowledged was ${value}`);
      }
    }
    return wrong;
  }

  private client(url: string): Client {
    return new Client(url, this.options.ns, this.options.token?.());
  }

  private async run(client: number): Promise<void> {
    let node = client;
    for (let value = 1; !this.stopping; value++) {
      const key = `client-${client}-${value % KEYS_PER_CLIENT}`;
      for (let attempt = 1; ; attempt++) {
        this.attemptsMax = Math.max(this.attemptsMax, attempt);
        const { url } = this.cluster.nodes[node % this.cluster.nodes.length] as { url: string };
        const error = await this.client(url)
          .put(key, { body: { value } })
          .then(({ status, body }) => (status === 200 ? undefined : problem(status, body)), networkError);
        if (error === undefined) break;
        this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
        if (attempt === ATTEMPTS_MAX || /^4(?!29)/.test(error)) {
          this.failures.push(`${key}=${value} failed after ${attempt} attempts: ${error}`);
          return;
        }
        node++;
        await delay(PAUSE_MS * attempt);
      }
      this.acknowledged.set(key, value);
      this.writeCount++;
    }
  }
}

function problem(status: number, body: StoredObject): string {
  return `${status} ${(body as { code?: string }).code ?? ''}`.trim();
}

function networkError(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? String(error);
}
