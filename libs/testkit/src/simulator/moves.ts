import { StateError, type CommandOutcome, type Operation } from '#contracts';
import { NO_SETTINGS, type ReadAnswer } from '#replication';
import { HistoryRecorder } from '../linearizability/history';
import type { ObjectInput, ObjectOutput } from '../linearizability/models/object-model';
import { bodyJsonOf } from './bodies';
import type { BorderRule } from './border-rule';
import { SimulationFailure } from './failure';
import { judgeObjects } from './final-judgement';
import { IndexOperator } from './index-operator';
import type { SeededStream } from './random';
import type { SimHost } from './sim-host';
import type { World } from './world';

export interface MovesOptions {
  readonly world: World;
  readonly random: SeededStream;
  readonly border: BorderRule;
  readonly regions: readonly string[];
}

/** A namespace whose bytes can be told from all others: its mark is in each id and each value. */
interface Mobile {
  readonly ns: string;
  readonly mark: string;
  /** The one placement that it ever gets; the others move. */
  readonly fixed: readonly string[] | undefined;
  isPlaced: boolean;
  readonly recorder: HistoryRecorder<ObjectInput, ObjectOutput>;
  readonly withoutEffect: Set<number>;
}

const IDS = ['a', 'b', 'c'];
const CLIENTS_EACH = 3;
const MEAN_THINK_MS = 25;
const TIMEOUTS_MS = [300, 1_000];
const MEAN_MOVE_MS = 700;
/** What says for certain that nothing has happened. */
const CERTAIN = new Set([
  ...['no_leader', 'overloaded', 'storage_full', 'draining', 'not_ready', 'region_not_allowed'],
]);
const decoder = new TextDecoder();

/**
 * An operator who sends namespaces from region to region, clients that use them meanwhile, and one namespace that is
 * pinned before it is written and stays. What clients saw of each must be linearizable; what is left in the end must
 * be where it belongs, and nowhere else.
 */
export class Moves {
  private readonly mobiles: readonly Mobile[];
  private active = true;
  private operations = 0;

  constructor(private readonly options: MovesOptions) {
    const { random, regions } = options;
    const home = random.pick(regions);
    this.mobiles = [
      this.mobile('stays', [home]),
      this.mobile('roams', undefined),
      this.mobile('wanders', undefined),
    ];
  }

  start(): void {
    for (const mobile of this.mobiles) {
      if (mobile.fixed === undefined) this.startClients(mobile);
      else void this.pin(mobile, mobile.fixed);
    }
    this.planMove();
  }

  /** No more moves and no more requests; what is under way goes on. */
  end(): void {
    this.active = false;
  }

  /**
   * Whether every namespace is where it belongs and has left nothing behind, as all members that are up know it. One
   * that was removed while it was away is told nothing any more.
   */
  isSettled(members: readonly SimHost[]): boolean {
    const up = members.filter(({ isUp }) => isUp);
    return up.every((host) => host.node!.directory.unsettled().next().done === true);
  }

  /** How often namespaces have come to another group. */
  get completed(): number {
    const up = [...this.options.world.hosts.values()].find(({ isUp }) => isUp);
    const documents = [...(up?.node?.directory.namespaces.values() ?? [])];
    return documents.reduce((sum, { generation }) => sum + generation, 0);
  }

  /** `members` are the nodes that belong to the cluster: one that was removed while it was away cannot be told. */
  judge(members: readonly SimHost[]): void {
    const { border } = this.options;
    border.checkDisks();
    for (const { ns, mark, recorder, withoutEffect } of this.mobiles) {
      judgeObjects(recorder.history().filter((_, handle) => !withoutEffect.has(handle)));
      const up = members.find(({ isUp }) => isUp);
      const regions = up?.node?.directory.namespaces.get(ns)?.settings.regions;
      if (regions !== undefined) border.checkOutside(mark, regions, members);
    }
  }

  private mobile(name: string, fixed: readonly string[] | undefined): Mobile {
    return {
      ...{ ns: `agent://${name}`, mark: `<${name}>`, fixed, isPlaced: fixed === undefined },
      recorder: new HistoryRecorder(),
      withoutEffect: new Set(),
    };
  }

  private startClients(mobile: Mobile): void {
    for (let at = 1; at <= CLIENTS_EACH; at++) this.next(mobile, `${mobile.ns} client ${at}`);
  }

  /** Asks until it is in force; only then anything is written. */
  private async pin(mobile: Mobile, regions: readonly string[]): Promise<void> {
    const { world, random, border } = this.options;
    for (let attempt = 1; !mobile.isPlaced; attempt++) {
      const host = this.anyHost();
      const done = host && this.set(host, mobile, regions, 1 + random.below(3));
      const view = await Promise.race([done, this.pause(2_000)]);
      if (view?.movingTo !== undefined || view === undefined) {
        await this.pause(100);
        continue;
      }
      mobile.isPlaced = true;
    }
    world.note(`${mobile.ns} is pinned to ${regions.join(' ')}`);
    border.keepInside(mobile.mark, regions);
    if (this.active) this.startClients(mobile);
  }

  private planMove(): void {
    const { world, random, regions } = this.options;
    world.scheduler.after(random.between(0, 2 * MEAN_MOVE_MS), 'an operator', () => {
      if (!this.active) return;
      this.planMove();
      const host = this.anyHost();
      const mobile = random.pick(this.mobiles.filter(({ fixed }) => fixed === undefined));
      const chosen = regions.filter(() => random.chance(0.5));
      if (host === undefined) return;
      void this.set(host, mobile, chosen.length === 0 ? undefined : chosen, 1 + random.below(3));
    });
  }

  private set(host: SimHost, { ns }: Mobile, regions: readonly string[] | undefined, replicas: number) {
    const { world, random } = this.options;
    const indexes = IndexOperator.somePlaces(random);
    world.note(`${ns} is to be in ${regions?.join(' ') ?? 'any region'}, says node ${host.member}`);
    const { life } = host;
    return host.node!.engine.namespaces.set(ns, { ...NO_SETTINGS, regions, replicas, indexes }).then(
      (view) => (life?.alive === true ? view : undefined),
      (error: unknown) => {
        if (!(error instanceof StateError) && life?.alive === true) world.broken(error);
        return undefined;
      },
    );
  }

  private next(mobile: Mobile, client: string): void {
    const { world, random } = this.options;
    world.scheduler.after(random.between(0, 2 * MEAN_THINK_MS), `${client} begins`, () => {
      if (!this.active) return;
      const host = this.anyHost();
      if (host === undefined) this.next(mobile, client);
      else this.act(mobile, client, host);
    });
  }

  private act(mobile: Mobile, client: string, host: SimHost): void {
    const { random } = this.options;
    const { ns, mark } = mobile;
    const id = `${random.pick(IDS)}${mark}`;
    const timeoutMs = random.pick(TIMEOUTS_MS);
    const dice = random.below(10);
    if (dice < 4) {
      const read = host.node!.engine.read(
        { kind: 'get', ns, id },
        { consistency: { kind: 'linearizable' }, timeoutMs },
      );
      return this.record(mobile, client, { host, timeoutMs }, { op: 'get', id }, read.then(readOutput));
    }
    const value = bodyJsonOf(mark, ++this.operations);
    const isPut = dice < 9;
    const operation: Operation = isPut
      ? { op: 'put', id, type: 'thing', bodyJson: value, tags: { [mark]: mark }, parents: [] }
      : { op: 'delete', id };
    const write = host.node!.engine.write({ kind: 'write', ns, operations: [operation] }, { timeoutMs });
    const input: ObjectInput = isPut ? { op: 'put', id, value } : { op: 'delete', id };
    this.record(mobile, client, { host, timeoutMs }, input, write.then(writeOutput));
  }

  private record(
    mobile: Mobile,
    client: string,
    { host, timeoutMs }: { readonly host: SimHost; readonly timeoutMs: number },
    input: ObjectInput,
    answer: Promise<ObjectOutput>,
  ): void {
    const { world } = this.options;
    const { life } = host;
    const handle = mobile.recorder.call(client, input);
    let isOver = false;
    const over = (how: () => string): void => {
      if (isOver || life?.alive !== true) return;
      isOver = true;
      world.note(`${client} hears of ${input.op} ${input.id} at node ${host.member}: ${how()}`);
      this.next(mobile, client);
    };
    answer.then(
      (output) =>
        over(() => {
          mobile.recorder.complete(handle, output);
          return output.kind;
        }),
      (error: unknown) =>
        over(() => {
          if (!(error instanceof StateError)) world.broken(error);
          else if (CERTAIN.has(error.code)) mobile.withoutEffect.add(handle);
          else if (error.code !== 'timeout') world.broken(error);
          return error instanceof StateError ? error.code : 'an error';
        }),
    );
    world.scheduler.after(2 * timeoutMs, `${client} waits no longer`, () => {
      if (isOver) return;
      isOver = true;
      this.next(mobile, client);
    });
  }

  private anyHost(): SimHost | undefined {
    const up = [...this.options.world.hosts.values()].filter(({ isUp }) => isUp);
    return up.length === 0 ? undefined : this.options.random.pick(up);
  }

  private pause(ms: number): Promise<undefined> {
    return new Promise((resolve) =>
      this.options.world.scheduler.after(ms, 'an operator waits', () => resolve(undefined)),
    );
  }
}

function writeOutput(outcome: CommandOutcome): ObjectOutput {
  if (outcome.kind === 'done') return { kind: 'ok', commitSeq: outcome.commitSeq };
  if (outcome.code === 'not_found') return { kind: 'absent' };
  if (outcome.code === 'not_ready') throw new StateError('not_ready', outcome.detail);
  throw new SimulationFailure(`a write was rejected with ${outcome.code}: ${outcome.detail}`);
}

function readOutput({ outcome }: ReadAnswer): ObjectOutput {
  if (outcome.kind === 'absent') return { kind: 'absent' };
  if (outcome.kind !== 'object') throw new SimulationFailure(`a get answered ${outcome.kind}`);
  const { body } = JSON.parse(decoder.decode(outcome.json)) as { body: unknown };
  return { kind: 'found', value: JSON.stringify(body), commitSeq: outcome.commitSeq };
}
