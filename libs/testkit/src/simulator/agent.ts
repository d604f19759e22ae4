import type { CommandOutcome, CommitSeq, LeaseCommand, Operation } from '#contracts';
import type { HistoryRecorder } from '../linearizability/history';
import type { LeaseInput, LeaseOutput } from '../linearizability/models/lease-model';
import type { ObjectInput, ObjectOutput } from '../linearizability/models/object-model';
import { bodyJsonOf } from './bodies';
import { Caller, type CallerOptions } from './caller';
import { type AskedWrite, faultOfDone, faultOfRefusal, objectInput } from './decided-writes';
import { SimulationFailure } from './failure';
import { leaseInput, leaseOutput, leaseReadOutput, passedOutput } from './lease-outputs';
import { RepeatedCommand, type AskedCommand } from './repeated-command';
import { OBJECTS } from './world';

export interface AgentOptions extends CallerOptions {
  readonly objects: HistoryRecorder<ObjectInput, ObjectOutput>;
  readonly leases: HistoryRecorder<LeaseInput, LeaseOutput>;
  readonly thinkMs: number;
}

const IDS = ['a', 'b', 'c', 'd'];
const LEASES = ['lease-1', 'lease-2'];
/** Short enough to run out while a node is paused, while links are cut, or while the agent thinks. */
const LEASE_TTLS_MS = [80, 300, 1_200];
const KEYED_SHARE = 0.6;
/** Of agents that were told that their lease is gone: they go on as if they had not heard. */
const DEAF_SHARE = 0.3;
const OLD_TOKEN_SHARE = 0.15;

interface Guard {
  readonly key: string;
  readonly token: number;
}

type Done = Extract<CommandOutcome, { kind: 'done' }>;

/**
 * A client as an agent is one: it takes leases and writes under them, also when they may have run out meanwhile,
 * changes several objects at once on conditions, and sends what it cannot tell the outcome of again under the same
 * idempotency key, to another node.
 */
export class Agent {
  private readonly caller: Caller;
  private stopped = false;
  private asked = 0;
  /** The tokens that it was given of each lease. */
  private readonly tokens = new Map<string, number[]>();
  /** Leases that it knows to have lost, or has given up. */
  private readonly without = new Set<string>();

  constructor(private readonly options: AgentOptions) {
    this.caller = new Caller(options);
  }

  start(): void {
    this.next();
  }

  stop(): void {
    this.stopped = true;
  }

  private next(): void {
    const { world, random, thinkMs, name } = this.options;
    if (this.stopped) return;
    world.scheduler.after(random.between(0, 2 * thinkMs), `${name} begins`, () => this.begin());
  }

  private begin(): void {
    const { random } = this.options;
    if (this.stopped) return;
    const key = random.pick(LEASES);
    const token = this.someToken(key);
    const holds = token !== undefined && !this.without.has(key);
    const dice = random.below(100);
    if (dice < 20) this.write(this.someOperations());
    else if (dice < 27) this.readLease(key);
    else if (token !== undefined && (holds ? dice < 75 : dice < 40))
      this.write(this.someOperations(), { key, token });
    else if (holds && dice < 85) this.lease({ action: 'renew', key, token, ttlMs: this.someTtlMs() });
    else if (holds && dice < 93) this.lease({ action: 'release', key, token });
    else this.lease({ action: 'acquire', key, ttlMs: this.someTtlMs() });
  }

  /** One to three of the objects, each once. */
  private someOperations(): readonly Operation[] {
    const { random, name, tally } = this.options;
    const count = random.pick([1, 2, 2, 3]);
    const first = random.below(IDS.length);
    return Array.from({ length: count }, (_, at): Operation => {
      const id = IDS[(first + at) % IDS.length] as string;
      const newest = tally.newest.get(id);
      const onNewest = newest !== undefined && random.chance(0.4) ? { ifMatch: newest as CommitSeq } : {};
      const dice = random.below(100);
      if (dice < 20) return { op: 'check', id, ...onNewest };
      if (dice < 35) return { op: 'delete', id, ...onNewest };
      const bodyJson = bodyJsonOf(name, this.asked);
      const condition = random.chance(0.05) ? { ifNoneMatch: true } : onNewest;
      return { op: 'put', id, type: 'thing', bodyJson, tags: { by: name }, parents: [], ...condition };
    });
  }

  private write(operations: readonly Operation[], fence?: Guard): void {
    const { world, objects, leases, tally, name } = this.options;
    const batch = ++this.asked;
    const guard = fence && leases.call(name, { op: 'guard', ...fence });
    const parts = operations.flatMap((operation) => {
      const input = objectInput(operation, `${name}-${batch}`);
      return input === undefined ? [] : [objects.call(name, input)];
    });
    const withoutEffect = (): void => parts.forEach((handle) => tally.withoutEffect.add(handle));
    const asked: AskedWrite = { ns: OBJECTS, operations, knownBefore: tally.highestTold };
    const check = (fault: () => string | undefined): void =>
      world.afterStep(() => {
        const found = fault();
        if (found !== undefined) throw new SimulationFailure(`${name}'s write ${batch}: ${found}`);
      });
    tally.writes++;
    this.send({
      command: { kind: 'write', ns: OBJECTS, operations, ...(fence && { fence }) },
      what: `write ${batch}: ${operations.map(describeOperation).join(', ')}${fence ? ` under ${fence.key} ${fence.token}` : ''}`,
      answered: (outcome) => {
        if (outcome.kind === 'done') {
          const { commitSeq } = outcome;
          parts.forEach((handle) => objects.complete(handle, { kind: 'ok', commitSeq }));
          this.wrote(operations, outcome);
          if (guard !== undefined) leases.complete(guard, passedOutput(operations, outcome));
          if (guard !== undefined) tally.guarded++;
          return check(() => faultOfDone(world.decided, asked, outcome));
        }
        withoutEffect();
        if (outcome.code === 'fence_stale' && guard !== undefined && fence !== undefined) {
          tally.fenced++;
          if (fence.token === this.tokens.get(fence.key)?.at(-1)) this.lost(fence.key);
          return leases.complete(guard, { kind: 'fence_stale' });
        }
        if (guard !== undefined) leases.complete(guard, { kind: 'passed' });
        check(() => faultOfRefusal(world.decided, asked, outcome));
      },
      refused: withoutEffect,
    });
  }

  private wrote(operations: readonly Operation[], { commitSeq }: Done): void {
    const { tally } = this.options;
    tally.told(commitSeq);
    for (const { op, id } of operations) if (op !== 'check') tally.newest.set(id, commitSeq);
  }

  private lease(about: Pick<LeaseCommand, 'action' | 'key' | 'token' | 'ttlMs'>): void {
    const { leases, tally, name } = this.options;
    const { action, key, token = 0, ttlMs = 0 } = about;
    this.asked++;
    const handle = leases.call(name, leaseInput({ ...about, owner: name }));
    const knownBefore = tally.highestTold;
    this.send({
      command: { kind: 'lease', ns: OBJECTS, owner: name, ...about },
      what: `${action} ${key}${token === 0 ? '' : ` under ${token}`}${ttlMs === 0 ? '' : ` for ${ttlMs}`}`,
      answered: (outcome) => {
        const output = leaseOutput(outcome);
        leases.complete(handle, output);
        if (output.kind === 'lease_lost' && output.holder === undefined) tally.ranOut++;
        if (output.kind === 'lease_lost' && token === this.tokens.get(key)?.at(-1)) this.lost(key);
        if (output.kind === 'released') this.without.add(key);
        if (action !== 'acquire' || output.kind !== 'held') return;
        if (output.token <= knownBefore)
          throw new SimulationFailure(
            `${name} got token ${output.token}, though ${knownBefore} was known before`,
          );
        tally.leases++;
        tally.told(output.token);
        this.tokens.set(key, [...(this.tokens.get(key) ?? []), output.token]);
        this.without.delete(key);
      },
      refused: () => tally.withoutLease.add(handle),
    });
  }

  private lost(key: string): void {
    if (!this.options.random.chance(DEAF_SHARE)) this.without.add(key);
  }

  private readLease(key: string): void {
    const { world, leases, tally, random, name } = this.options;
    const host = random.pick([...world.hosts.values()]);
    if (!host.isUp) return this.next();
    const handle = leases.call(name, { op: 'read', key });
    const request = { kind: 'lease' as const, ns: OBJECTS, key };
    const consistency = { kind: 'linearizable' as const };
    tally.reads++;
    this.caller.ask(
      host,
      `read ${key}`,
      (timeoutMs) => host.node!.engine.read(request, { consistency, timeoutMs }),
      {
        answered: ({ outcome }) => {
          const output = leaseReadOutput(outcome);
          leases.complete(handle, output);
          return JSON.stringify(output);
        },
        refused: () => undefined,
        unknown: () => undefined,
        over: () => this.next(),
      },
    );
  }

  /** Its newest token of a lease, mostly. */
  private someToken(key: string): number | undefined {
    const { random } = this.options;
    const tokens = this.tokens.get(key) ?? [];
    return tokens.length > 0 && random.chance(OLD_TOKEN_SHARE) ? random.pick(tokens) : tokens.at(-1);
  }

  private someTtlMs(): number {
    return this.options.random.pick(LEASE_TTLS_MS);
  }

  private send(asked: AskedCommand): void {
    const { random, name } = this.options;
    const key = `${name}-${this.asked}`;
    const isKeyed = random.chance(KEYED_SHARE);
    const command = isKeyed ? { ...asked.command, idempotency: { key, fingerprint: key } } : asked.command;
    const isStopped = (): boolean => this.stopped;
    new RepeatedCommand(
      { ...this.options, caller: this.caller, isStopped, over: () => this.next() },
      {
        ...asked,
        command,
      },
    ).send();
  }
}

function describeOperation({ op, id, ifMatch, ifNoneMatch }: Operation): string {
  const condition = ifMatch === undefined ? (ifNoneMatch === true ? ' if absent' : '') : ` if at ${ifMatch}`;
  return `${op} ${id}${condition}`;
}
