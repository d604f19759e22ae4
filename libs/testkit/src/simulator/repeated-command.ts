import type { ClientCommand, CommandOutcome } from '#contracts';
import type { Caller, CallerOptions } from './caller';
import { SimulationFailure } from './failure';
import { answerText, FirstAnswer } from './first-answer';

export interface AskedCommand {
  readonly command: ClientCommand;
  readonly what: string;
  /** The first answer. */
  readonly answered: (outcome: CommandOutcome) => void;
  /** It never happened, for certain. */
  readonly refused: () => void;
}

export interface RepeatedCommandOptions extends CallerOptions {
  readonly caller: Caller;
  /** Nothing is sent again after this. */
  readonly isStopped: () => boolean;
  readonly over: () => void;
}

const MOST_TRIES = 6;
const MEAN_PAUSE_MS = 60;
/** Of commands under a key: how often one is sent again although it was refused for certain, or answered. */
const INSISTING_SHARE = 0.7;
const DOUBTING_SHARE = 0.25;

/**
 * One command of a client. Under an idempotency key it is sent until it is answered, each time to another node, and
 * now and then once more after that: whoever answers, it is the first answer. Without a key it is sent once.
 */
export class RepeatedCommand {
  private tries = 0;
  private readonly first = new FirstAnswer();
  /** A try of which nobody can tell whether it came through. */
  private isOpen = false;
  private isWanted = false;

  constructor(
    private readonly options: RepeatedCommandOptions,
    private readonly asked: AskedCommand,
  ) {}

  send(): void {
    const { world, random, caller, tally } = this.options;
    const { command, what } = this.asked;
    this.tries++;
    this.isWanted = false;
    const up = [...world.hosts.values()].filter(({ isUp }) => isUp);
    if (up.length === 0) return this.ended(INSISTING_SHARE);
    if (this.tries > 1) tally.retries++;
    const again = this.tries > 1 ? `, try ${this.tries}` : '';
    const host = random.pick(up);
    caller.ask(host, `${what}${again}`, (timeoutMs) => host.node!.engine.write(command, { timeoutMs }), {
      answered: (outcome) => this.answered(outcome),
      refused: () => (this.isWanted = this.mayRepeat(INSISTING_SHARE)),
      unknown: () => {
        this.isOpen = true;
        this.isWanted = this.mayRepeat(1);
      },
      over: () => this.goOn(),
    });
  }

  private ended(share: number): void {
    this.isWanted = this.mayRepeat(share);
    this.goOn();
  }

  private mayRepeat(share: number): boolean {
    const { isStopped, random } = this.options;
    if (this.asked.command.idempotency === undefined || this.tries >= MOST_TRIES || isStopped()) return false;
    return random.chance(share);
  }

  private answered(outcome: CommandOutcome): string {
    const isFirst = !this.first.isKnown;
    const fault = this.first.faultOf(outcome);
    if (fault !== undefined) throw new SimulationFailure(`${this.options.name} ${fault}`);
    if (isFirst) this.asked.answered(outcome);
    this.isWanted = this.mayRepeat(DOUBTING_SHARE);
    return `${outcome.replayed === true ? 'again ' : ''}${answerText(outcome)}`;
  }

  private goOn(): void {
    const { world, random, name, over } = this.options;
    if (this.isWanted) {
      world.scheduler.after(random.between(0, 2 * MEAN_PAUSE_MS), `${name} sends again`, () => this.send());
      return;
    }
    if (!this.first.isKnown && !this.isOpen) this.asked.refused();
    over();
  }
}
