import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome, CommitSeq, LeaseCommand, Operation } from '#contracts';
import {
  type AskedWrite,
  FirstAnswer,
  leaseInput,
  leaseOutput,
  leaseReadOutput,
  objectInput,
  passedOutput,
} from '#testkit';
import { commandOutcome, leaseOf } from './command-outcome';
import type { ClusterNode } from './cluster-node';
import { type NodeChoice, pick } from './node-choice';
import type { NodeRequest, NodeRequests, Reply } from './node-requests';
import type { RecordedHistory } from './recorded-history';

export interface RecordedAgentOptions {
  readonly name: string;
  readonly ns: string;
  readonly ids: readonly string[];
  readonly requests: NodeRequests;
  readonly choice: NodeChoice;
  readonly history: RecordedHistory;
  /** It begins nothing new, and goes on with what it has begun. */
  readonly isStopping: () => boolean;
  /** Nobody answers any more. */
  readonly isOver: () => boolean;
}

interface Guard {
  readonly key: string;
  readonly token: number;
}

interface AskedCommand {
  readonly what: string;
  readonly request: NodeRequest;
  /** The first answer. */
  readonly answered: (outcome: CommandOutcome) => void;
  /** It never happened, for certain. */
  readonly refused: () => void;
}

const LEASES = ['lease-1', 'lease-2'];
/** The shortest that there are: a node that hangs, or a cut link, outlasts them. */
const TTLS_SECONDS = [1, 1, 2, 3];
const KEYED_SHARE = 0.7;
/** Of commands under a key: how often one is sent again although it was refused for certain, or answered. */
const INSISTING_SHARE = 0.7;
const DOUBTING_SHARE = 0.25;
/** Of agents that were told that their lease is gone: they go on as if they had not heard. */
const DEAF_SHARE = 0.3;
const OLD_TOKEN_SHARE = 0.15;
const REFUSED_PAUSE_MS = 20;

/**
 * A client as an agent is one: it takes leases and writes under them, also when they may have run out meanwhile,
 * changes several objects at once on conditions, and sends what it cannot tell the outcome of again under the same
 * idempotency key, to another node. What it is told goes to the judges that the simulator's agents have.
 */
export class RecordedAgent {
  private asked = 0;
  /** The tokens that it was given of each lease. */
  private readonly tokens = new Map<string, number[]>();
  /** Leases that it knows to have lost, or has given up. */
  private readonly without = new Set<string>();

  constructor(private readonly options: RecordedAgentOptions) {}

  async run(): Promise<void> {
    const { name, history, isStopping } = this.options;
    while (!isStopping())
      await this.act().catch((error: unknown) => history.fault(`${name}: ${String(error)}`));
  }

  private act(): Promise<void> {
    const key = pick(LEASES);
    const token = this.someToken(key);
    const holds = token !== undefined && !this.without.has(key);
    const dice = Math.random();
    if (dice < 0.3) return this.write(this.someOperations());
    if (dice < 0.35) return this.readLease(key);
    if (token !== undefined && dice < (holds ? 0.8 : 0.5))
      return this.write(this.someOperations(), { key, token });
    if (holds && dice < 0.88) return this.lease({ action: 'renew', key, token, ttlMs: someTtlMs() });
    if (holds && dice < 0.94) return this.lease({ action: 'release', key, token });
    return this.lease({ action: 'acquire', key, ttlMs: someTtlMs() });
  }

  /** One to three of the objects, each once. */
  private someOperations(): readonly Operation[] {
    const { name, ids, history } = this.options;
    const first = Math.floor(Math.random() * ids.length);
    return Array.from({ length: pick([1, 2, 2, 3]) }, (_, at): Operation => {
      const id = ids[(first + at) % ids.length] as string;
      const newest = history.newest.get(id);
      const onNewest = newest !== undefined && Math.random() < 0.4 ? { ifMatch: newest as CommitSeq } : {};
      const dice = Math.random();
      if (dice < 0.15) return { op: 'check', id, ...onNewest };
      if (dice < 0.25) return { op: 'delete', id, ...onNewest };
      const bodyJson = JSON.stringify(`${name}-${this.asked}`);
      const condition = Math.random() < 0.05 ? { ifNoneMatch: true } : onNewest;
      return { op: 'put', id, type: 'object', bodyJson, tags: {}, parents: [], ...condition };
    });
  }

  private write(operations: readonly Operation[], fence?: Guard): Promise<void> {
    const { name, ns, history } = this.options;
    const batch = `${name}-${++this.asked}`;
    const guard = fence && history.leases.call(name, { op: 'guard', ...fence });
    const parts = operations.flatMap((operation) => {
      const input = objectInput(operation, batch);
      return input === undefined ? [] : [history.objects.call(name, input)];
    });
    const withoutEffect = (): void => parts.forEach((handle) => history.withoutEffect.add(handle));
    const asked: AskedWrite = { ns, operations, knownBefore: history.highestTold };
    return this.send({
      what: fence === undefined ? 'write' : 'fenced write',
      request: writeRequest(operations, fence),
      answered: (outcome) => {
        if (outcome.kind === 'done') {
          const { commitSeq } = outcome;
          parts.forEach((handle) => history.objects.complete(handle, { kind: 'ok', commitSeq }));
          for (const { op, id } of operations) if (op !== 'check') history.newest.set(id, commitSeq);
          if (guard !== undefined) history.leases.complete(guard, passedOutput(operations, outcome));
          history.acknowledgedAtMs.push(performance.now());
          return history.wasAnswered({ who: batch, asked, outcome });
        }
        withoutEffect();
        if (outcome.code === 'fence_stale' && guard !== undefined && fence !== undefined) {
          if (fence.token === this.tokens.get(fence.key)?.at(-1)) this.lost(fence.key);
          return history.leases.complete(guard, { kind: 'fence_stale' });
        }
        if (guard !== undefined) history.leases.complete(guard, { kind: 'passed' });
        history.wasAnswered({ who: batch, asked, outcome });
      },
      refused: withoutEffect,
    });
  }

  private lease(about: Pick<LeaseCommand, 'action' | 'key' | 'token' | 'ttlMs'>): Promise<void> {
    const { name, history } = this.options;
    const { action, key, token = 0, ttlMs = 0 } = about;
    this.asked++;
    const whose = { key, owner: name };
    const handle = history.leases.call(name, leaseInput({ ...about, owner: name }));
    const knownBefore = history.highestTold;
    return this.send({
      what: action,
      request: {
        method: 'POST',
        path: `/lease/${action}`,
        body: {
          ...whose,
          ...(action !== 'acquire' && { token }),
          ...(action !== 'release' && { ttl: ttlMs / 1_000 }),
        },
      },
      answered: (outcome) => {
        const output = leaseOutput(outcome);
        history.leases.complete(handle, output);
        if (output.kind === 'lease_lost' && token === this.tokens.get(key)?.at(-1)) this.lost(key);
        if (output.kind === 'released') this.without.add(key);
        if (action !== 'acquire' || output.kind !== 'held') return;
        if (output.token <= knownBefore)
          history.fault(`${name} got token ${output.token}, though ${knownBefore} was known before`);
        history.told(output.token);
        this.tokens.set(key, [...(this.tokens.get(key) ?? []), output.token]);
        this.without.delete(key);
      },
      refused: () => history.withoutLease.add(handle),
    });
  }

  private lost(key: string): void {
    if (Math.random() >= DEAF_SHARE) this.without.add(key);
  }

  private async readLease(key: string): Promise<void> {
    const { name, history, choice } = this.options;
    const handle = history.leases.call(name, { op: 'read', key });
    const reply = await choice.ask(
      (node) => this.reply(node, 'lease read', { method: 'GET', path: `/lease/${key}` }),
      (one) => typeof one !== 'string',
    );
    if (typeof reply === 'string') return;
    if (reply.status === 404) history.leases.complete(handle, leaseReadOutput({ kind: 'absent' }));
    if (reply.status === 200 && reply.json !== undefined)
      history.leases.complete(handle, leaseReadOutput({ kind: 'lease', lease: leaseOf(reply.json) }));
  }

  /** Its newest token of a lease, mostly. */
  private someToken(key: string): number | undefined {
    const tokens = this.tokens.get(key) ?? [];
    return tokens.length > 0 && Math.random() < OLD_TOKEN_SHARE ? pick(tokens) : tokens.at(-1);
  }

  /** Under a key a command is sent until it is answered, and now and then once more; without one it is sent once. */
  private async send({ what, request, answered, refused }: AskedCommand): Promise<void> {
    const { name, choice, history, isOver } = this.options;
    const isKeyed = Math.random() < KEYED_SHARE;
    const key: Record<string, string> = isKeyed ? { 'idempotency-key': `${name}-${this.asked}` } : {};
    const first = new FirstAnswer();
    let isOpen = false;
    for (let isWanted = true; isWanted && !isOver();) {
      const outcome = await choice.ask(
        async (node) => {
          const headers = { ...request.headers, ...key };
          const reply = await this.reply(node, what, { ...request, headers });
          return typeof reply === 'string' ? reply : commandOutcome(reply);
        },
        (one) => typeof one !== 'string',
      );
      if (typeof outcome === 'string') {
        isOpen ||= outcome === 'unknown';
        isWanted = isKeyed && (outcome === 'unknown' || Math.random() < INSISTING_SHARE);
        await delay(REFUSED_PAUSE_MS);
        continue;
      }
      if (outcome.replayed === true) history.count('answered again');
      const isFirst = !first.isKnown;
      const fault = first.faultOf(outcome);
      if (fault !== undefined) history.fault(`${name}-${this.asked} ${fault}`);
      if (isFirst) answered(outcome);
      isWanted = isKeyed && Math.random() < DOUBTING_SHARE;
    }
    if (!first.isKnown && !isOpen) refused();
  }

  private async reply(
    node: ClusterNode,
    what: string,
    request: NodeRequest,
  ): Promise<Reply | 'refused' | 'unknown'> {
    const { requests, history } = this.options;
    try {
      const reply = await requests.send(node, request);
      history.count(`${what} ${reply.status}`);
      history.told(Number(reply.headers['x-commit-seq'] ?? 0));
      return reply;
    } catch (error) {
      const { code = 'broken' } = error as NodeJS.ErrnoException;
      history.count(`${what} ${code}`);
      return code === 'ECONNREFUSED' ? 'refused' : 'unknown';
    }
  }
}

/** One operation goes by its own route, several by a batch. */
function writeRequest(operations: readonly Operation[], fence: Guard | undefined): NodeRequest {
  const [only] = operations;
  const guards: Record<string, string> = fence
    ? { 'if-resource': fence.key, 'if-fence': String(fence.token) }
    : {};
  if (operations.length > 1 || only === undefined || only.op === 'check')
    return { method: 'POST', path: '/batch', headers: guards, body: { ops: operations.map(wireOperation) } };
  const { id, ifMatch, ifNoneMatch } = only;
  const headers = {
    ...guards,
    ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
    ...(ifNoneMatch === true && { 'if-none-match': '*' }),
  };
  const path = `/objects/${id}`;
  if (only.op !== 'put') return { method: 'DELETE', path, headers };
  return { method: 'PUT', path, headers, body: { body: JSON.parse(only.bodyJson) as unknown } };
}

function wireOperation(operation: Operation): object {
  const { op, id, ifMatch, ifNoneMatch } = operation;
  return {
    op,
    id,
    ...(op === 'put' && { body: JSON.parse(operation.bodyJson) as unknown }),
    ...(ifMatch !== undefined && { if_match: ifMatch }),
    ...(ifNoneMatch === true && { if_none_match: true }),
  };
}

function someTtlMs(): number {
  return pick(TTLS_SECONDS) * 1_000;
}
