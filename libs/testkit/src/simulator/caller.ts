import { StateError } from '#contracts';
import { SimulationFailure } from './failure';
import type { SeededStream } from './random';
import type { SimHost } from './sim-host';
import type { World } from './world';

/** What all clients have seen together. */
export class ClientTally {
  writes = 0;
  reads = 0;
  staleReads = 0;
  refused = 0;
  unknown = 0;
  /** Of agents: commands sent again; writes done under a lease, and refused for it; leases taken. */
  retries = 0;
  guarded = 0;
  fenced = 0;
  leases = 0;
  /** Leases that had run out when their holder asked to prolong them or to give them up. */
  ranOut = 0;
  /** The highest position that any client was told: a linearizable read from then on is at least there. */
  highestTold = 0;
  /** The newest version of each object that anybody was told of. */
  readonly newest = new Map<string, number>();
  /** Operations that were refused before they had any effect, by handle: they are no part of the history. */
  readonly withoutEffect = new Set<number>();
  /** The same of lease commands, in the history of leases. */
  readonly withoutLease = new Set<number>();

  told(seq: number): void {
    this.highestTold = Math.max(this.highestTold, seq);
  }
}

export interface CallerOptions {
  readonly name: string;
  readonly world: World;
  readonly random: SeededStream;
  readonly tally: ClientTally;
}

/** How a question ends. Exactly one of these is called. */
export interface Ending<Answer> {
  /** Says in words what was answered, for the trace. */
  readonly answered: (answer: Answer) => string;
  /** Nothing happened, for certain. */
  readonly refused: () => void;
  /** Nobody can tell whether it happened. */
  readonly unknown: () => void;
  /** Last, however it ended. */
  readonly over: () => void;
}

/** Of which each question picks one: short ones wait behind long ones. */
const TIMEOUTS_MS = [200, 600, 600, 5_000];
/** An answer may be late by the ticks that deadlines are looked at. */
const ANSWER_SLACK_MS = 1_000;

/** Puts one question after the other to nodes, and holds them to answering before the deadline. */
export class Caller {
  /** Grows with every question and with every end of one: an answer to an older one is nobody's. */
  asked = 0;

  constructor(private readonly options: CallerOptions) {}

  /** Whether a question is neither answered nor given up. */
  get isWaiting(): boolean {
    return this.asked % 2 === 1;
  }

  ask<Answer>(
    host: SimHost,
    what: string,
    start: (timeoutMs: number) => Promise<Answer>,
    ending: Ending<Answer>,
  ): void {
    const { world, tally, name, random } = this.options;
    const turn = ++this.asked;
    const life = host.life;
    const timeoutMs = random.pick(TIMEOUTS_MS);
    world.note(`${name} asks node ${host.member}: ${what}`);
    const finish = (act: () => string): void => {
      // A process that is gone answers nobody, whatever its promises still do.
      if (turn !== this.asked || life?.alive !== true) return;
      this.asked++;
      cancel();
      try {
        world.note(`${name} hears: ${act()}`);
      } catch (error) {
        world.broken(error);
      }
      ending.over();
    };
    const giveUp = (): void => {
      if (turn !== this.asked) return;
      this.asked++;
      tally.unknown++;
      ending.unknown();
      ending.over();
    };
    const waitOn = (): void => {
      if (life?.alive !== true || life.paused) return giveUp();
      cancel = world.scheduler.after(ANSWER_SLACK_MS, `${name} gives up`, () => {
        if (turn === this.asked && life.alive && host.hasRunFor(timeoutMs + ANSWER_SLACK_MS))
          world.broken(new SimulationFailure(`node ${host.member} never answered ${name}: ${what}`));
        giveUp();
      });
    };
    let cancel = world.scheduler.after(timeoutMs, `${name} has waited`, waitOn);
    start(timeoutMs).then(
      (answer) => finish(() => ending.answered(answer)),
      (error: unknown) => finish(() => this.failed(error, ending)),
    );
  }

  private failed(error: unknown, ending: Ending<never>): string {
    const { tally } = this.options;
    if (!(error instanceof StateError)) throw error;
    if (error.code === 'timeout') {
      tally.unknown++;
      ending.unknown();
    } else if (CERTAIN.has(error.code)) {
      tally.refused++;
      ending.refused();
    } else throw new SimulationFailure(`unexpected ${error.code}: ${error.message}`, { cause: error });
    return `${error.code}: ${error.message}`;
  }
}

/** Codes that promise that nothing happened. */
const CERTAIN = new Set(['no_leader', 'overloaded', 'storage_full', 'draining', 'not_ready']);
