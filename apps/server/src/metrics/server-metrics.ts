import { Counter, Registry, collectDefaultMetrics } from 'prom-client';
import { BoundedLabels } from './bounded-labels';
import { EngineMetrics } from './engine-metrics';
import { measureEventLoopLag } from './event-loop-lag';
import { OpMetrics } from './op-metrics';

/** Namespaces that get a label of their own. */
const NAMESPACE_LABELS_MAX = 100;

/** Everything that `/metrics` shows, in a registry of its own, so that two servers in one process do not mix. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly ops = new OpMetrics(this.registry);
  readonly engine = new EngineMetrics(this.registry);
  private readonly namespaces = new BoundedLabels(NAMESPACE_LABELS_MAX);
  private readonly stopLag: () => void;
  private readonly rateLimits = new Counter({
    name: 'rate_limit_exceeded_total',
    help: 'Requests refused by a rate limit',
    labelNames: ['ns'],
    registers: [this.registry],
    collect: () => this.forgetNamespaces(),
  });
  private readonly regionRefusals = new Counter({
    name: 'region_refused_total',
    help: 'Requests refused because of the region of this node, by operation and by what refused them',
    labelNames: ['op', 'reason'],
    registers: [this.registry],
  });
  private readonly connectionsRefused = new Counter({
    name: 'http_connections_refused_total',
    help: 'Connections ended before a request: by the limit of the server or of an address, or by TLS',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  private mayName: (ns: string) => boolean = () => true;
  private readonly tokenCounts = new Map<string, Map<string, number>>();

  constructor() {
    const counts = this.tokenCounts;
    new Counter({
      name: 'auth_tokens_total',
      help: 'Tokens checked, by the key that signed them',
      labelNames: ['kid', 'result'],
      registers: [this.registry],
      collect(): void {
        this.reset();
        for (const [kid, results] of counts) {
          for (const [result, count] of results) this.inc({ kid, result }, count);
        }
      },
    });
    for (const reason of ['server', 'address', 'tls']) this.connectionsRefused.inc({ reason }, 0);
    collectDefaultMetrics({ register: this.registry });
    this.stopLag = measureEventLoopLag(this.registry);
  }

  /** `keyId` is one of the configured keys, or `unknown`. */
  tokenUsed(keyId: string, result: string): void {
    let results = this.tokenCounts.get(keyId);
    if (!results) {
      results = new Map<string, number>();
      this.tokenCounts.set(keyId, results);
    }
    results.set(result, (results.get(result) ?? 0) + 1);
  }

  connectionRefused(reason: string): void {
    this.connectionsRefused.inc({ reason });
  }

  rateLimited(ns: string): void {
    this.rateLimits.inc({ ns: this.namespaces.of(ns) });
  }

  /** By a token's regions or by a namespace's pin; which namespace is not told. */
  refusedByRegion(operation: string, reason: 'token' | 'pin'): void {
    this.regionRefusals.inc({ op: operation, reason });
  }

  /** Which namespaces may be labels here, asked at each scrape: one may be pinned elsewhere after it was one. */
  nameOnly(mayName: (ns: string) => boolean): void {
    this.mayName = mayName;
  }

  render(): Promise<string> {
    return this.registry.metrics();
  }

  stop(): void {
    this.stopLag();
    this.registry.clear();
  }

  private forgetNamespaces(): void {
    for (const ns of this.namespaces.giveUp(this.mayName)) this.rateLimits.remove({ ns });
  }
}
