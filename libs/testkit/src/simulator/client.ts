import { type CommandOutcome, StateError, type CommitSeq, type Operation } from '#contracts';
import { DEFAULT_GROUP, type ReadAnswer } from '#replication';
import type { HistoryRecorder } from '../linearizability/history';
import type { ObjectInput, ObjectOutput } from '../linearizability/models/object-model';
import { SimulationFailure } from './failure';
import type { SeededStream } from './random';
import type { SimHost } from './sim-host';
import { BATCHES, OBJECTS, type World } from './world';

export interface ClientOptions {
  readonly name: string;
  readonly world: World;
  readonly random: SeededStream;
  readonly recorder: HistoryRecorder<ObjectInput, ObjectOutput>;
  readonly tally: ClientTally;
  readonly thinkMs: number;
}

/** What all clients have seen together. */
export class ClientTally {
  writes = 0;
  reads = 0;
  staleReads = 0;
  refused = 0;
  unknown = 0;
  /** The highest position that any client was told: a linearizable read from then on is at least there. */
  highestTold = 0;
  /** Operations that were refused before they had any effect, by handle: they are no part of the history. */
  readonly withoutEffect = new Set<number>();
}

const IDS = ['a', 'b', 'c', 'd'];
/** Of which each operation picks one: short ones wait behind long ones. */
const TIMEOUTS_MS = [200, 600, 600, 5_000];
/** An answer may be late by the ticks that deadlines are looked at. */
const ANSWER_SLACK_MS = 1_000;
const decoder = new TextDecoder();

/** A client that does one thing after the other at whatever node it comes to, and writes down what it saw. */
export class Client {
  private operation = 0;
  private lastSeen = new Map<string, number>();
  private lastWritten = 0;
  private stopped = false;
  /** Cancels the next operation while none is under way. */
  private idle: (() => void) | undefined;

  constructor(private readonly options: ClientOptions) {}

  start(): void {
    this.next();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Reads at a node without waiting any longer, if nothing else is under way. */
  readNow(host: SimHost): void {
    if (this.stopped || this.idle === undefined || !host.isUp) return;
    this.idle();
    this.idle = undefined;
    this.get(host);
  }

  private next(): void {
    const { world, random, thinkMs, name } = this.options;
    if (this.stopped) return;
    this.idle = world.scheduler.after(random.between(0, 2 * thinkMs), `${name} begins`, () => this.begin());
  }

  private begin(): void {
    const { world, random } = this.options;
    this.idle = undefined;
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
    const value = JSON.stringify(`${name}-${this.operation}`);
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
        this.told(seq);
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
        this.told(answer.commitSeq);
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

  /** Several objects at one position; judged by the watchers and by comparing replicas. */
  private batch(host: SimHost): void {
    const { random, name } = this.options;
    const operations = IDS.slice(0, 2 + random.below(IDS.length - 1)).map((id): Operation => {
      const bodyJson = JSON.stringify(`${name}-${this.operation}`);
      return { op: 'put', id, type: random.pick(['thing', 'other']), bodyJson, tags: {}, parents: [] };
    });
    const command = { kind: 'write' as const, ns: BATCHES, operations };
    this.ask(host, 'batch', (timeoutMs) => host.node!.engine.write(command, { timeoutMs }), {
      answered: (outcome) => {
        if (outcome.kind !== 'done') throw new SimulationFailure(`a batch was rejected: ${outcome.code}`);
        this.told(outcome.commitSeq);
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
    const { world, tally, name, random } = this.options;
    const operation = ++this.operation;
    const life = host.life;
    const timeoutMs = random.pick(TIMEOUTS_MS);
    world.note(`${name} asks node ${host.member}: ${what}`);
    let pausedSince = false;
    const finish = (act: () => string): void => {
      // A process that is gone answers nobody, whatever its promises still do.
      if (operation !== this.operation || life?.alive !== true) return;
      this.operation++;
      cancel();
      try {
        world.note(`${name} hears: ${act()}`);
      } catch (error) {
        world.broken(error);
      }
      this.next();
    };
    const giveUp = (): void => {
      if (operation !== this.operation) return;
      pausedSince ||= life?.paused === true;
      if (life?.alive === true && life.paused) {
        world.scheduler.after(timeoutMs, `${name} waits on`, giveUp);
        return;
      }
      if (life?.alive === true && !pausedSince && host.hasRunFor(timeoutMs + ANSWER_SLACK_MS)) {
        world.broken(new SimulationFailure(`node ${host.member} never answered ${name}: ${what}`));
      }
      this.operation++;
      tally.unknown++;
      this.next();
    };
    const cancel = world.scheduler.after(timeoutMs + ANSWER_SLACK_MS, `${name} gives up`, giveUp);
    start(timeoutMs).then(
      (answer) => finish(() => on.answered(answer)),
      (error: unknown) => finish(() => this.failed(error, on.refused)),
    );
  }

  private failed(error: unknown, refused: () => void): string {
    const { tally } = this.options;
    if (!(error instanceof StateError)) throw error;
    if (error.code === 'timeout') tally.unknown++;
    else if (CERTAIN.has(error.code)) {
      tally.refused++;
      refused();
    } else throw new SimulationFailure(`unexpected ${error.code}: ${error.message}`, { cause: error });
    return `${error.code}: ${error.message}`;
  }

  private told(seq: number): void {
    const { tally } = this.options;
    tally.highestTold = Math.max(tally.highestTold, seq);
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

/** Codes that promise that nothing happened. */
const CERTAIN = new Set(['no_leader', 'overloaded', 'storage_full', 'draining', 'not_ready']);

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
