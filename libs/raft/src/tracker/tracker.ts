import type { LogIndex, MemberId } from '#contracts';
import { isVoter, jointPosition, jointVote, type JointVoters } from '../quorum/joint';
import type { VoteResult } from '../quorum/majority';
import type { ConfState } from '../types';
import { Inflights } from './inflights';
import { Progress } from './progress';

/** A configuration in the form that quorums are counted with. Never changed in place: a change makes a new one. */
export interface Configuration extends JointVoters {
  readonly learners: ReadonlySet<MemberId>;
  readonly learnersNext: ReadonlySet<MemberId>;
  readonly autoLeave: boolean;
}

export type ProgressMap = ReadonlyMap<MemberId, Progress>;

export const EMPTY_CONFIGURATION: Configuration = {
  incoming: new Set(),
  outgoing: new Set(),
  learners: new Set(),
  learnersNext: new Set(),
  autoLeave: false,
};

export interface TrackerLimits {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

const ascending = (members: ReadonlySet<MemberId>): MemberId[] => [...members].sort((a, b) => a - b);

/** The configuration in force, the progress of each of its members, and the votes of the running election. */
export class Tracker {
  configuration: Configuration = EMPTY_CONFIGURATION;
  /** In ascending order of members, so that the messages of a run come in a fixed order. */
  progress: ProgressMap = new Map();
  private readonly votes = new Map<MemberId, boolean>();
  private readonly matchOf = (member: MemberId): number | undefined => this.progress.get(member)?.match;
  private readonly roundOf = (member: MemberId): number | undefined =>
    this.progress.get(member)?.acknowledgedRound;
  private readonly activeVoteOf = (member: MemberId): boolean =>
    this.progress.get(member)?.recentActive === true;
  private readonly voteOf = (member: MemberId): boolean | undefined => this.votes.get(member);

  constructor(readonly limits: TrackerLimits) {}

  newInflights(): Inflights {
    return new Inflights(this.limits.maxInflightMessages, this.limits.maxInflightBytes);
  }

  use(configuration: Configuration, progress: ProgressMap): void {
    this.configuration = configuration;
    this.progress = new Map([...progress].sort(([a], [b]) => a - b));
  }

  isVoter(member: MemberId): boolean {
    return isVoter(this.configuration, member);
  }

  isJoint(): boolean {
    return this.configuration.outgoing.size > 0;
  }

  /** The highest index durable on a quorum; `Infinity` without voters. */
  committedIndex(): number {
    return jointPosition(this.configuration, this.matchOf);
  }

  /** The newest heartbeat round that a quorum has answered. */
  confirmedRound(): number {
    return jointPosition(this.configuration, this.roundOf);
  }

  /** Whether a quorum was heard of since the flags were cleared last (dissertation, section 6.2). */
  quorumActive(): boolean {
    return jointVote(this.configuration, this.activeVoteOf) === 'won';
  }

  clearActive(except: MemberId): void {
    for (const [member, progress] of this.progress) progress.recentActive = member === except;
  }

  resetVotes(): void {
    this.votes.clear();
  }

  /** The first vote of a member counts: a duplicate changes nothing. */
  recordVote(member: MemberId, granted: boolean): void {
    if (!this.votes.has(member)) this.votes.set(member, granted);
  }

  tallyVotes(): VoteResult {
    return jointVote(this.configuration, this.voteOf);
  }

  /** Forgets what was known of everyone's log: at each change of role or term. */
  resetProgress(self: MemberId, selfMatch: LogIndex, lastIndex: LogIndex): void {
    const fresh = new Map<MemberId, Progress>();
    for (const [member, progress] of this.progress) {
      const match = (member === self ? selfMatch : 0) as LogIndex;
      fresh.set(
        member,
        new Progress({
          match,
          next: (lastIndex + 1) as LogIndex,
          learner: progress.learner,
          recentActive: member === self,
          inflights: this.newInflights(),
        }),
      );
    }
    this.progress = fresh;
  }

  confState(): ConfState {
    const { incoming, outgoing, learners, learnersNext, autoLeave } = this.configuration;
    return {
      voters: ascending(incoming),
      votersOutgoing: ascending(outgoing),
      learners: ascending(learners),
      learnersNext: ascending(learnersNext),
      autoLeave,
    };
  }
}
