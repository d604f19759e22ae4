import { Client, type Namespace } from '../../libs/client/src/index';
import type { Cluster } from './cluster';
import { Client as PlainClient } from './client';
import { until } from './until';

export interface SteadyClientsOptions {
  readonly ns: string;
  readonly clients?: number;
  /** Asked for each request, so that a test can change what clients carry. */
  readonly token?: () => string;
}

interface Value {
  readonly value: number;
}

const KEYS_PER_CLIENT = 10;

/**
 * Applications that use the SDK as it comes: each writes one value after the other to keys of its own, and reads back
 * what it wrote, while nodes are restarted. What the SDK meets before it tries again is counted under it; a request
 * fails only when the SDK gives up.
 */
export class SteadyClients {
  /** Key to the value of the last acknowledged write. */
  private readonly acknowledged = new Map<string, number>();
  private readonly errors = new Map<string, number>();
  private readonly wrong: string[] = [];
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

  async furtherWrites(count: number): Promise<void> {
    const target = this.writeCount + count;
    await until(`${count} further writes`, () => this.writeCount >= target || this.wrong.length > 0);
  }

  /** What was met before a retry, for instance `503 draining` or `ECONNREFUSED`, and how often. */
  get errorsBeforeRetries(): ReadonlyMap<string, number> {
    return this.errors;
  }

  get summary(): string {
    const met = [...this.errors].map(([what, count]) => `${count} × ${what}`).join(', ');
    return (
      `${this.writeCount} writes and as many reads; before retries: ${met || 'no error'}; ` +
      `at most ${this.attemptsMax} attempts`
    );
  }

  /** Ends the clients; gives what failed for good, and every write that was acknowledged and is not there. */
  async check(): Promise<readonly string[]> {
    this.stopping = true;
    await this.running;
    const wrong = [...this.wrong];
    for (const node of this.cluster.nodes) {
      const client = new PlainClient(node.url, this.options.ns, this.options.token?.());
      for (const [key, value] of this.acknowledged) {
        const { status, body } = await client.get(key);
        const found = status === 200 ? (body.body as Value).value : status;
        if (found !== value) wrong.push(`${key} at ${node.name}: ${found}, acknowledged was ${value}`);
      }
    }
    return wrong;
  }

  private async run(client: number): Promise<void> {
    let attempts = 0;
    const counting: typeof fetch = async (input, init) => {
      this.attemptsMax = Math.max(this.attemptsMax, ++attempts);
      try {
        const response = await fetch(input, init);
        if (!response.ok) this.met(await problem(response.clone()));
        return response;
      } catch (error) {
        this.met(networkError(error));
        throw error;
      }
    };
    const objects = this.sdk(client, counting);
    for (let value = 1; !this.stopping; value++) {
      const key = `client-${client}-${value % KEYS_PER_CLIENT}`;
      try {
        attempts = 0;
        await objects.put({ id: key, body: { value } });
        this.acknowledged.set(key, value);
        this.writeCount++;
        attempts = 0;
        const found = (await objects.get(key)).body.value;
        if (found !== value) this.wrong.push(`${key}: read ${found}, acknowledged was ${value}`);
      } catch (error) {
        this.wrong.push(`${key}=${value} failed after ${attempts} attempts: ${String(error)}`);
        return;
      }
    }
  }

  /** The nodes in an order of its own, so that some client prefers each. */
  private sdk(client: number, counting: typeof fetch): Namespace<Value> {
    const urls = this.cluster.nodes.map(({ url }) => url);
    const first = client % urls.length;
    return new Client({
      endpoints: [...urls.slice(first), ...urls.slice(0, first)],
      token: this.options.token === undefined ? null : () => this.options.token?.() ?? '',
      fetch: counting,
    }).namespace<Value>(this.options.ns);
  }

  private met(error: string): void {
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
  }
}

async function problem(response: Response): Promise<string> {
  const { code } = (await response.json().catch(() => ({}))) as { readonly code?: string };
  return `${response.status} ${code ?? ''}`.trim();
}

function networkError(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? String(error);
}
