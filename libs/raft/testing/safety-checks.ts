import type { LogEntry, LogIndex, MemberId } from '#contracts';
import { type ConfState, type Message, MessageType, type Ready } from '../src/types';
import { describeEntry } from './describe';
import type { SimulatedMember } from './simulated-member';

/** A broken promise of Raft, found from outside of the core. */
export class SafetyViolation extends Error {}

/**
 * The promises of the Raft dissertation (figure 3.2), checked on every step of a simulation, and what must hold
 * for a host to rely on the core: nothing is answered or applied before it is durable.
 */
export class SafetyChecks {
  /** What was decided, by index; the first member to apply an entry decides. */
  readonly decided = new Map<LogIndex, string>();
  private readonly decidedTerms = new Map<LogIndex, number>();
  highestDecided = 0;
  private readonly leaders = new Map<number, MemberId>();
  private readonly votes = new Map<string, MemberId>();
  private readonly commits = new Map<SimulatedMember['node'], number>();
  private readonly reads = new Map<number, number>();

  constructor(private readonly members: ReadonlyMap<MemberId, SimulatedMember>) {}

  private fail(what: string): never {
    throw new SafetyViolation(what);
  }

  readIssued(context: number): void {
    this.reads.set(context, this.highestDecided);
  }

  /** A ready was taken over by a member, before anything of it was applied. */
  afterReady(member: SimulatedMember, ready: Ready): void {
    for (const entry of ready.committedEntries) this.handedOut(member, entry);
    for (const { context, index, failed } of ready.readStates) {
      const needed = this.reads.get(context) ?? 0;
      if (!failed && index < needed)
        this.fail(`stale read: ${member.id} answers ${context} at ${index}, ${needed} was decided before`);
    }
  }

  /** State machine safety: everyone applies the same entry at an index, and none that a crash could take away. */
  private handedOut(member: SimulatedMember, entry: LogEntry): void {
    if (!member.storage.holdsDurably(entry.index, entry.term))
      this.fail(`${member.id} is to apply ${describeEntry(entry)}, which is not durable there`);
    const shown = describeEntry(entry);
    const known = this.decided.get(entry.index);
    if (known === undefined) {
      this.decided.set(entry.index, shown);
      this.decidedTerms.set(entry.index, entry.term);
      this.highestDecided = Math.max(this.highestDecided, entry.index);
    } else if (known !== shown) {
      this.fail(`state machine safety: ${member.id} applies ${shown}, another applied ${known}`);
    }
  }

  /** A message leaves: a vote in it binds its sender for the term. */
  afterSend(message: Message): void {
    const isVote = message.type === MessageType.requestVoteResponse && !message.reject;
    if (!isVote && message.type !== MessageType.requestVote) return;
    const vote = isVote ? message.to : message.from;
    const key = `${message.from} in term ${message.term}`;
    const before = this.votes.get(key);
    if (before !== undefined && before !== vote) this.fail(`${key} voted for ${before} and for ${vote}`);
    this.votes.set(key, vote);
  }

  /** After anything a member did. */
  afterStep(member: SimulatedMember): void {
    const { node } = member;
    if (node.isLeader) this.checkLeader(member);
    const commit = node.commitIndex;
    const before = this.commits.get(node) ?? 0;
    if (commit < before) this.fail(`the commit index of ${member.id} goes back from ${before} to ${commit}`);
    this.commits.set(node, commit);
    if (node.isLeader && commit > before) this.checkCommitted(member, commit);
  }

  private checkLeader(member: SimulatedMember): void {
    const { term } = member.node;
    const known = this.leaders.get(term);
    if (known !== undefined) {
      if (known !== member.id) this.fail(`election safety: ${known} and ${member.id} lead in term ${term}`);
      return;
    }
    this.leaders.set(term, member.id);
    for (const [index, decidedTerm] of this.decidedTerms) {
      const own = member.node.termAt(index);
      if (index >= member.storage.firstIndex() && own !== decidedTerm)
        this.fail(`leader completeness: ${member.id} leads term ${term} without ${decidedTerm}/${index}`);
    }
  }

  /** What a leader counts as committed is durable on a quorum of the configuration that it counts with. */
  private checkCommitted(leader: SimulatedMember, commit: LogIndex): void {
    const term = leader.node.termAt(commit);
    if (term === undefined) return;
    // Counting replicas of an older term's entry proves nothing (section 3.6.2): it may yet be overwritten.
    if (term !== leader.node.term)
      this.fail(`${leader.id} commits ${term}/${commit} by counting in term ${leader.node.term}`);
    const { voters, votersOutgoing }: ConfState = leader.node.status().confState;
    for (const half of [voters, votersOutgoing]) {
      const holding = half.filter((id) => this.members.get(id)?.storage.holdsDurably(commit, term) === true);
      if (half.length > 0 && holding.length * 2 <= half.length)
        this.fail(
          `${leader.id} commits ${term}/${commit}, durable on ${holding.join(' ')} of ${half.join(' ')}`,
        );
    }
  }

  /** Log matching: two logs with the same term at an index agree up to there. */
  checkLogs(): void {
    const logs = [...this.members.values()].map(({ storage }) => storage.image);
    for (const one of logs)
      for (const other of logs) {
        if (one === other) continue;
        let mustAgree = false;
        for (let position = one.entries.length - 1; position >= 0; position -= 1) {
          const entry = one.entries[position] as LogEntry;
          const counterpart = other.entries[entry.index - other.floor.index - 1];
          if (counterpart === undefined) continue;
          mustAgree ||= counterpart.term === entry.term;
          if (mustAgree && describeEntry(entry) !== describeEntry(counterpart))
            this.fail(`log matching: ${describeEntry(entry)} here, ${describeEntry(counterpart)} there`);
        }
      }
  }
}
