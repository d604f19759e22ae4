import { HistoryRecorder } from '../linearizability/history';
import type { LeaseInput, LeaseOutput } from '../linearizability/models/lease-model';
import { Agent, type AgentOptions } from './agent';
import type { SeededStream } from './random';
import { judgeLeases } from './final-judgement';

const AGENTS = 2;
const MEAN_THINK_MS = 30;

/** The agents of one run, and the history of the leases that they contend for. */
export class Agents {
  private readonly leases = new HistoryRecorder<LeaseInput, LeaseOutput>();
  private readonly agents: readonly Agent[];

  constructor(private readonly options: Omit<AgentOptions, 'name' | 'leases' | 'thinkMs'>) {
    this.agents = Array.from({ length: AGENTS }, (_, at) => {
      const name = `agent ${at + 1}`;
      const random: SeededStream = options.random.fork(name);
      return new Agent({ ...options, name, random, leases: this.leases, thinkMs: MEAN_THINK_MS });
    });
  }

  start(): void {
    for (const agent of this.agents) agent.start();
  }

  stop(): void {
    for (const agent of this.agents) agent.stop();
  }

  judge(): 'linearizable' | 'unknown' {
    const { withoutLease } = this.options.tally;
    return judgeLeases(this.leases.history().filter((_, handle) => !withoutLease.has(handle)));
  }
}
