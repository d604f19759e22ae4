import type { GroupId } from '#contracts';
import { HistoryRecorder } from '../linearizability/history';
import type { LeaseInput, LeaseOutput } from '../linearizability/models/lease-model';
import type { ObjectInput, ObjectOutput } from '../linearizability/models/object-model';
import { Agent } from './agent';
import { ClientTally } from './caller';
import { Client } from './client';
import { EagerReads } from './eager-reads';
import { judgeLeases, judgeObjects } from './final-judgement';
import type { SeededStream } from './random';
import type { SimHost } from './sim-host';
import type { World } from './world';

const CLIENTS = 4;
const AGENTS = 2;
const EAGER_READERS = 2;
const CLIENT_THINKS_MS = 40;
const AGENT_THINKS_MS = 30;

/** All who read and write in one run, and the histories of what they were told. */
export class Clients {
  readonly tally = new ClientTally();
  private readonly objects = new HistoryRecorder<ObjectInput, ObjectOutput>();
  private readonly leases = new HistoryRecorder<LeaseInput, LeaseOutput>();
  private readonly all: readonly (Client | Agent)[];
  private readonly eagerReads: EagerReads;

  constructor(
    private readonly world: World,
    private readonly random: SeededStream,
  ) {
    const clients = Array.from({ length: CLIENTS }, (_, at) =>
      this.newClient(`client ${at + 1}`, CLIENT_THINKS_MS),
    );
    const agents = Array.from({ length: AGENTS }, (_, at) => this.newAgent(`agent ${at + 1}`));
    const readers = Array.from({ length: EAGER_READERS }, (_, at) =>
      this.newClient(`reader ${at + 1}`, undefined),
    );
    this.all = [...clients, ...agents, ...readers];
    this.eagerReads = new EagerReads(world.scheduler, random.fork('eager readers'), [...clients, ...readers]);
  }

  start(): void {
    for (const one of this.all) one.start();
  }

  stop(): void {
    for (const one of this.all) one.stop();
  }

  /** A node says that it leads a group now. */
  elected(host: SimHost, group: GroupId): void {
    this.eagerReads.elected(host, group);
  }

  /** A node goes on after a pause. */
  resumed(host: SimHost): void {
    this.eagerReads.resumed(host);
  }

  judge(): 'linearizable' | 'unknown' {
    const { withoutEffect, withoutLease } = this.tally;
    const verdicts = [
      judgeObjects(this.objects.history().filter((_, handle) => !withoutEffect.has(handle))),
      judgeLeases(this.leases.history().filter((_, handle) => !withoutLease.has(handle))),
    ];
    return verdicts.includes('unknown') ? 'unknown' : 'linearizable';
  }

  private newClient(name: string, thinkMs: number | undefined): Client {
    const { world, tally, objects: recorder } = this;
    return new Client({ name, world, random: this.random.fork(name), recorder, tally, thinkMs });
  }

  private newAgent(name: string): Agent {
    const { world, tally, objects, leases } = this;
    const random = this.random.fork(name);
    return new Agent({ name, world, random, objects, leases, tally, thinkMs: AGENT_THINKS_MS });
  }
}
