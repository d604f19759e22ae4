import type { CommandOutcome, CommitSeq, Operation } from '#contracts';
import { DEFAULT_GROUP, type ReadAnswer } from '#replication';
import type { HistoryRecorder } from '../linearizability/history';
import type { ObjectInput, ObjectOutput } from '../linearizability/models/object-model';
import { bodyJsonOf } from './bodies';
import { Caller, type CallerOptions } from './caller';
import { faultOfDone } from './decided-writes';
import { SimulationFailure } from './failure';
import type { SimHost } from './sim-host';
import { BATCHES, OBJECTS } from './world';

export interface ClientOptions extends CallerOptions {
  readonly recorder: HistoryRecorder<ObjectInput, ObjectOutput>;
  /** How long it waits on average; `undefined` for one that only reads, when it is told to. */
  readonly thinkMs: number | undefined;
}

const IDS = ['a', 'b', 'c', 'd'];
const decoder = new TextDecoder();

/** A client that does one thing after the other at whatever node it comes to, and writes down what it saw. */
export class Client {
  private readonly caller: Caller;
  private lastSeen = new Map<string, number>();
  private lastWritten = 0;
  private stopped = false;
  /** Cancels what is planned next. */
  private cancelNext: () => void = () => undefined;

  constructor(private readonly options: ClientOptions) {
    this.caller = new Caller(options);
  }

  start(): void {
    this.next();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Reads at a node without waiting any longer, if nothing else is under way. */
  readNow(host: SimHost): void {
    if (this.stopped || this.caller.isWaiting || !host.isUp) return;
    this.cancelNext();
    this.get(host);
  }

  private next(): void {
    const { world, random, thinkMs, name } = this.options;
    if (this.stopped || thinkMs === undefined) return;
    const delayMs = random.between(0, 2 * thinkMs);
    this.cancelNext = world.scheduler.after(delayMs, `${name} begins`, () => this.begin());
  }

  private begin(): void {
    const { world, random } = this.options;
    if (this.stopped) return;
    const host = random.pick([...world.hosts.values()]);
    if (!host.isUp) return this.next();
    const dice = random.below(100);
    if (dice < 35) this.get(host);
    else if (dice < 50) this.staleGet(host);
    else if (dice < 85) this.put(host);
    else if (dice < 93) this.remove(host);
    else this.batch(host);
  }

  private put(host: SimHost): void {
    const { random, name } = this.options;
    const id = random.pick(IDS);
    const value = bodyJsonOf(name, this.caller.asked);
    const operation: Operation = {
      op: 'put',
      id,
      type: 'thing',
      bodyJson: value,
      tags: { by: name },
      parents: [],
      ...this.condition(id),
    };
    this.write(host, operation, { op: 'put', id, value, ...conditionOf(operation) });
  }

  private remove(host: SimHost): void {
    const id = this.options.random.pick(IDS);
    const operation: Operation = { op: 'delete', id, ...this.condition(id) };
    this.write(host, operation, { op: 'delete', id, ...conditionOf(operation) });
  }

  private condition(id: string): { ifMatch?: CommitSeq; ifNoneMatch?: boolean } {
    const { random } = this.options;
    const seen = this.lastSeen.get(id);
    if (seen !== undefined && random.chance(0.3)) return { ifMatch: seen as CommitSeq };
    return random.chance(0.1) ? { ifNoneMatch: true } : {};
  }

  private write(host: SimHost, operation: Operation, input: ObjectInput): void {
    const { world, recorder, tally, name } = this.options;
    const handle = recorder.call(name, input);
    tally.writes++;
    const command = { kind: 'write' as const, ns: OBJECTS, operations: [operation] };
    const what = `${input.op} ${input.id}${input.op === 'put' ? ` ${input.value}` : ''}`;
    this.ask(host, what, (timeoutMs) => host.node!.engine.write(command, { timeoutMs }), {
      answered: (outcome) => {
        const output = writeOutput(outcome, input);
        recorder.complete(handle, output);
        if (output.kind !== 'ok') return describe(output);
        const seq = output.commitSeq ?? 0;
        this.lastSeen.set(input.id, seq);
        tally.newest.set(input.id, seq);
        tally.told(seq);
        this.lastWritten = Math.max(this.lastWritten, seq);
        world.afterStep(() => this.checkIsDecided(seq, input.id));
        return describe(output);
      },
      refused: () => tally.withoutEffect.add(handle),
    });
  }

  private get(host: SimHost): void {
    const { world, recorder, tally, random, name } = this.options;
    const id = random.pick(IDS);
    const handle = recorder.call(name, { op: 'get', id });
    tally.reads++;
    const leastSeq = tally.highestTold;
    const request = { kind: 'get' as const, ns: OBJECTS, id };
    const consistency = { kind: 'linearizable' as const };
    this.ask(host, `get ${id}`, (timeoutMs) => host.node!.engine.read(request, { consistency, timeoutMs }), {
      answered: (answer) => {
        if (answer.commitSeq < leastSeq) {
          throw new SimulationFailure(
            `${name} reads ${id} at position ${answer.commitSeq}, though ${leastSeq} was known before it asked`,
          );
        }
        const output = readOutput(answer);
        recorder.complete(handle, output);
        if (output.kind === 'found') this.lastSeen.set(id, output.commitSeq);
        tally.told(answer.commitSeq);
        world.afterStep(() => this.checkRead(id, answer));
        return `${describe(output)} at ${answer.commitSeq}`;
      },
      refused: () => tally.withoutEffect.add(handle),
    });
  }

  private staleGet(host: SimHost): void {
    const { world, tally, random, name } = this.options;
    const id = random.pick(IDS);
    const minSeq = random.chance(0.5) ? (this.lastWritten as CommitSeq) : undefined;
    tally.staleReads++;
    const request = { kind: 'get' as const, ns: OBJECTS, id };
    const consistency = { kind: 'stale' as const, minSeq };
    this.ask(
      host,
      `stale get ${id}`,
      (timeoutMs) => host.node!.engine.read(request, { consistency, timeoutMs }),
      {
        answered: (answer) => {
          if (answer.commitSeq < (minSeq ?? 0)) {
            throw new SimulationFailure(
              `${name} asked for ${id} from position ${String(minSeq)} on and got ${answer.commitSeq}`,
            );
          }
          world.afterStep(() => this.checkRead(id, answer));
          return `at ${answer.commitSeq}`;
        },
        refused: () => undefined,
      },
    );
  }

  /** Several objects at one position, in a namespace where there is nothing else to watch. */
  private batch(host: SimHost): void {
    const { world, tally, random, name } = this.options;
    const operations = IDS.slice(0, 2 + random.below(IDS.length - 1)).map((id): Operation => {
      const bodyJson = bodyJsonOf(name, this.caller.asked);
      return { op: 'put', id, type: random.pick(['thing', 'other']), bodyJson, tags: {}, parents: [] };
    });
    const command = { kind: 'write' as const, ns: BATCHES, operations };
    const asked = { ns: BATCHES, operations, knownBefore: tally.highestTold };
    this.ask(host, 'batch', (timeoutMs) => host.node!.engine.write(command, { timeoutMs }), {
      answered: (outcome) => {
        if (outcome.kind !== 'done') throw new SimulationFailure(`a batch was rejected: ${outcome.code}`);
        tally.told(outcome.commitSeq);
        world.afterStep(() => {
          const fault = faultOfDone(world.decided, asked, outcome);
          if (fault !== undefined) throw new SimulationFailure(`${name}'s batch: ${fault}`);
        });
        return `ok ${outcome.commitSeq}`;
      },
      refused: () => undefined,
    });
  }

  private ask<T>(
    host: SimHost,
    what: string,
    start: (timeoutMs: number) => Promise<T>,
    on: { readonly answered: (answer: T) => string; readonly refused: () => void },
  ): void {
    this.caller.ask(host, what, start, { ...on, unknown: () => undefined, over: () => this.next() });
  }

  private checkIsDecided(seq: number, id: string): void {
    const { world, name } = this.options;
    if (!world.decided.batches(OBJECTS).some(({ commitSeq }) => commitSeq === seq)) {
      throw new SimulationFailure(`${name} was told that ${id} was written at ${seq}; no replica has that`);
    }
  }

  private checkRead(id: string, { outcome, commitSeq }: ReadAnswer): void {
    const { world, name } = this.options;
    const expected = world.decided.objectAt(OBJECTS, id, commitSeq);
    const got = outcome.kind === 'object' ? decoder.decode(outcome.json) : undefined;
    if (expected !== got) {
      throw new SimulationFailure(
        `${name} read ${String(got)} as ${id} at ${commitSeq} of group ${DEFAULT_GROUP}; it was ${String(expected)}`,
      );
    }
  }
}

function conditionOf({ ifMatch, ifNoneMatch }: Operation): { ifMatch?: number; ifNoneMatch?: boolean } {
  return { ...(ifMatch !== undefined && { ifMatch }), ...(ifNoneMatch !== undefined && { ifNoneMatch }) };
}

function writeOutput(outcome: CommandOutcome, input: ObjectInput): ObjectOutput {
  if (outcome.kind === 'done') return { kind: 'ok', commitSeq: outcome.commitSeq };
  if (outcome.code === 'precondition_failed') {
    return { kind: 'precondition_failed', currentCommitSeq: outcome.extras?.current_commit_seq };
  }
  if (outcome.code === 'not_found' && input.op === 'delete') return { kind: 'absent' };
  throw new SimulationFailure(`${input.op} was rejected with ${outcome.code}: ${outcome.detail}`);
}

function readOutput({ outcome }: ReadAnswer): ObjectOutput {
  if (outcome.kind === 'absent') return { kind: 'absent' };
  if (outcome.kind !== 'object') throw new SimulationFailure(`a get answered ${outcome.kind}`);
  const { body } = JSON.parse(decoder.decode(outcome.json)) as { body: unknown };
  return { kind: 'found', value: JSON.stringify(body), commitSeq: outcome.commitSeq };
}

function describe(output: ObjectOutput): string {
  return Object.values(output).join(' ');
}
