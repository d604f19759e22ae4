import type { CommandOutcome } from '#contracts';
import {
  type AskedWrite,
  checkHistory,
  type CheckResult,
  type DecidedHistory,
  faultOfDone,
  faultOfRefusal,
  findCommitOrderFaults,
  HistoryRecorder,
  type LeaseInput,
  leaseModel,
  type LeaseOutput,
  type ObjectInput,
  objectModel,
  type ObjectOutput,
} from '#testkit';

interface AnsweredWrite {
  readonly who: string;
  readonly asked: AskedWrite;
  readonly outcome: CommandOutcome;
}

/** All that the clients of one namespace asked for and were told, and what the simulator's judges say of it. */
export class RecordedHistory {
  readonly objects = new HistoryRecorder<ObjectInput, ObjectOutput>();
  readonly leases = new HistoryRecorder<LeaseInput, LeaseOutput>();
  /** Operations that were refused before they had any effect, by handle: they are no part of the history. */
  readonly withoutEffect = new Set<number>();
  /** The same of commands about leases. */
  readonly withoutLease = new Set<number>();
  /** The newest version of each object that anybody was told of. */
  readonly newest = new Map<string, number>();
  readonly acknowledgedAtMs: number[] = [];
  private readonly statuses = new Map<string, number>();
  private readonly answered: AnsweredWrite[] = [];
  private readonly faults: string[] = [];
  private highest = 0;

  /** The highest position that anybody was told. */
  get highestTold(): number {
    return this.highest;
  }

  told(position: number): void {
    this.highest = Math.max(this.highest, position);
  }

  count(what: string): void {
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }

  /** Answers so far, by operation and status. */
  get summary(): string {
    return [...this.statuses]
      .sort()
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ');
  }

  /** A write that is to be compared with what is decided. */
  wasAnswered(write: AnsweredWrite): void {
    this.answered.push(write);
  }

  /** Something that cannot be right whatever is decided. */
  fault(text: string): void {
    this.faults.push(text);
  }

  /** What is wrong; nothing, if all is well. `decided` holds all changes of the namespace. */
  judge(decided: DecidedHistory): readonly string[] {
    const objects = this.objects.history().filter((_, handle) => !this.withoutEffect.has(handle));
    const leases = this.leases.history().filter((_, handle) => !this.withoutLease.has(handle));
    return [
      ...this.faults,
      ...findCommitOrderFaults(objects),
      ...verdict(checkHistory(objectModel, objects)),
      ...verdict(checkHistory(leaseModel, leases)),
      ...this.answered.flatMap(({ who, asked, outcome }) => {
        const fault =
          outcome.kind === 'done'
            ? faultOfDone(decided, asked, outcome)
            : faultOfRefusal(decided, asked, outcome);
        return fault === undefined ? [] : [`${who}: ${fault}`];
      }),
    ];
  }
}

function verdict(result: CheckResult<unknown, unknown>): readonly string[] {
  if (result.verdict === 'linearizable') return [];
  return result.verdict === 'illegal' ? [result.explanation] : [`undecided: ${result.reason}`];
}
