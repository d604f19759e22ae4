import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Client, ClientOptions, Lease } from '../src/index.js';
import type { Script } from './scripted-server.js';

const FOLDER = path.join(__dirname, '../../../sdks/conformance');

type Values = Readonly<Record<string, unknown>>;

/** One call of a case: what is called with what, and what comes of it. */
export interface Call extends Values {
  readonly call: string;
  readonly result?: unknown;
  readonly error?: Values;
}

/** A case of sdks/conformance, which every SDK passes. */
export interface ConformanceCase extends Script {
  readonly name: string;
  readonly client?: Values;
  readonly calls: readonly Call[];
  readonly flood_limit_bytes?: number;
}

/** All cases, by file. */
export function conformanceCases(): readonly (readonly [file: string, cases: readonly ConformanceCase[]])[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const { cases } = JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as {
        cases: readonly ConformanceCase[];
      };
      return [file, cases] as const;
    });
}

/** The client that a case describes. Its waits are short: that they happen is what counts. */
export function clientOf(
  Class: typeof Client,
  { client = {} }: ConformanceCase,
  urls: readonly string[],
): Client {
  const { max_retries: maxRetries, regions, ...rest } = client;
  return new Class({
    token: null,
    ...(camelCased(rest) as ClientOptions),
    endpoints: urls.map((url, at) => {
      const region = (regions as readonly string[] | undefined)?.[at];
      return region === undefined ? url : { url, region };
    }),
    retry: {
      baseDelayMs: 2,
      maxDelayMs: 20,
      ...(maxRetries !== undefined && { maxRetries: maxRetries as number }),
    },
  });
}

/** What a call gave: watches can give events and an error. */
export interface Outcome {
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Carries out the calls of a case, in the words of this client. */
export class Caller {
  private readonly leases = new Map<string, Lease>();

  constructor(private readonly client: Client) {}

  async carryOut(call: Call): Promise<Outcome> {
    if (call.call === 'watch') return this.watch(call);
    try {
      return { result: await this.result(call) };
    } catch (error) {
      return { error };
    }
  }

  private result(call: Call): Promise<unknown> {
    const { client } = this;
    const [ns, id] = [call['ns'] as string, call['id'] as string];
    const options = this.options(call);
    switch (call.call) {
      case 'put':
        return client.put(ns, call['object'] as object, options);
      case 'get':
        return client.get(ns, id, options);
      case 'at':
        return client.at(ns, call['moment'] as number, id);
      case 'patch':
        return client.patch(ns, id, call['patch'] as object, options);
      case 'delete':
        return client.delete(ns, id, options);
      case 'list':
        return client.list(ns, options).all();
      case 'query':
        return client.query(ns, call['query'] as object, options).all();
      case 'history':
        return client.history(ns, id, options).all();
      case 'batch':
        return client.batch(ns, call['operations'] as [], options);
      default:
        return this.leaseResult(call);
    }
  }

  private async leaseResult(call: Call): Promise<unknown> {
    const key = call['key'] as string;
    switch (call.call) {
      case 'lease': {
        const lease = await this.client.lease(call['ns'] as string, key, this.options(call));
        this.leases.set(key, lease);
        return lease;
      }
      case 'lease_holder':
        return this.client.leaseHolder(call['ns'] as string, key);
      case 'release':
        return (await this.held(key).release()) ?? null;
      case 'lost': {
        const { signal } = this.held(key);
        if (!signal.aborted) {
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        }
        throw signal.reason;
      }
      default:
        throw new Error(`this client has no ${call.call}`);
    }
  }

  private async watch(call: Call): Promise<Outcome> {
    const result: unknown[] = [];
    try {
      for await (const event of this.client.watch(call['ns'] as string, this.options(call))) {
        result.push(event);
        if (result.length === call['take']) break;
      }
      return { result };
    } catch (error) {
      return { result, error };
    }
  }

  private held(key: string): Lease {
    const lease = this.leases.get(key);
    if (lease === undefined) throw new Error(`the case holds no lease ${key}`);
    return lease;
  }

  private options({ options = {} }: Call): object {
    const camel = camelCased(options as Values);
    return 'lease' in camel ? { ...camel, lease: this.held(camel['lease'] as string) } : camel;
  }
}

function camelCased(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

/** An error in the words of the cases. */
export function described(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { status, code, requestId, problem, reason, position, firstAvailable } = error as unknown as Values;
  return {
    type: error.name,
    status,
    code,
    request_id: requestId,
    problem,
    reason,
    position,
    first_available: firstAvailable,
    message: error.message,
  };
}
