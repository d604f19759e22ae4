import { type GroupId, type LogEntry, type MemberId } from '#contracts';
import { type LogWrite, type ReplicaStatus, readRaftFrame } from '#replication';
import { type ConfState, type Message, MessageType } from '#raft';
import { SimulationFailure } from './failure';
import { noFacts, type GroupFacts } from './group-facts';
import { type GroupImage, lastIndexOf, type LogImage } from './log-image';
import { isQuorum, mustBeAsked } from './quorums';
import { hashText } from './random';

/** What the rules look at of a node: its log's image, and its replicas while its process lives. */
export interface RuledHost {
  readonly member: MemberId;
  readonly image: LogImage;
  statuses(): readonly ReplicaStatus[];
}

interface Seen {
  readonly role: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly configuration: ConfState;
}

const TERM_SPAN = 2 ** 20;

/**
 * The promises of the Raft dissertation (figure 3.2) and what a host must keep for them, checked as things happen:
 * when a log is told something, when a message leaves, and after each event on a node. All of it is incremental,
 * so that a long run costs no more per step than a short one.
 */
export class SafetyRules {
  private readonly groups = new Map<GroupId, GroupFacts>();
  private seen = new Map<string, Seen>();

  constructor(private readonly hosts: ReadonlyMap<MemberId, RuledHost>) {}

  decidedIndex(group: GroupId): number {
    return this.facts(group).decidedTerms.length - 1;
  }

  /** Log matching, by induction: an entry of some index and term is the same, and follows the same, everywhere. */
  onAppend(host: RuledHost, writes: readonly LogWrite[]): void {
    for (const { group, reset, entries } of writes) {
      const image = host.image.view(group);
      if (reset !== undefined) this.onReset(host, group, image, reset);
      const first = entries[0];
      if (first === undefined) continue;
      if (reset === undefined && first.index <= lastIndexOf(image))
        this.onTruncation(host, group, image, entries);
      let previousTerm = reset?.term ?? image.terms[first.index - 1] ?? -1;
      for (const entry of entries) {
        this.checkEntry(host, group, entry, previousTerm);
        previousTerm = entry.term;
      }
    }
  }

  /** A vote that was never synced nor sent may be forgotten in a crash; one that was synced binds. */
  onDurable(host: RuledHost, writes: readonly LogWrite[]): void {
    for (const { group, hardState } of writes) {
      if (hardState !== undefined) this.onVote(host.member, group, hardState.term, hardState.vote);
    }
  }

  /** The log on a node's disk was recovered: what was acknowledged must still be on a quorum. */
  afterRecovery(): void {
    for (const [group, { configuration }] of this.groups) {
      const index = this.decidedIndex(group);
      if (index <= 1 || configuration === undefined) continue;
      const holding = this.holders(group, index);
      if (mustBeAsked(configuration, holding)) continue;
      fail(
        `entry ${index} of group ${group} was committed and is now durable on ${holding.join(' ') || 'nobody'} alone`,
      );
    }
  }

  /** What leaves a node binds it, so it must be on its disk. */
  onFrame(from: MemberId, body: Uint8Array): void {
    const host = this.hosts.get(from);
    if (host === undefined) return;
    for (const { group, message } of readRaftFrame(body)) {
      const { type, term, reject } = message;
      if (type === MessageType.requestVoteResponse && !reject)
        this.checkVote(host, group, message, message.to);
      else if (type === MessageType.requestVote) this.checkVote(host, group, message, from);
      else if (type === MessageType.appendResponse && !reject)
        this.checkAcknowledgement(host, group, message);
      if (type === MessageType.append) this.onLeader(group, term, from);
      const isLeading = type === MessageType.append || type === MessageType.heartbeat;
      if (isLeading && host.statuses().length === 0) this.onUnseenLeader(host, group, message);
    }
  }

  /** A node says who leads. */
  onLeader(group: GroupId, term: number, leader: MemberId): void {
    const { leaders } = this.facts(group);
    const known = leaders.get(term);
    if (known === undefined) leaders.set(term, leader);
    else if (known !== leader)
      fail(`election safety: ${known} and ${leader} lead group ${group} in term ${term}`);
  }

  /** A process begins: what it knew before is forgotten, but for its disk. */
  forget(member: MemberId): void {
    for (const group of this.groups.keys()) this.seen.delete(`${member} ${group}`);
  }

  /** A node gives up a replica: if it ever gets one of the group again, that one starts anew. */
  forgetReplica(member: MemberId, group: GroupId): void {
    this.seen.delete(`${member} ${group}`);
  }

  /** After any event on a node; answers whether one of its replicas is not where it was. */
  afterEvent(host: RuledHost): boolean {
    let isMoved = false;
    for (const status of host.statuses()) isMoved = this.checkStatus(host, status) || isMoved;
    return isMoved;
  }

  /** Who belongs to a group, as whoever has applied most of its log has it. */
  configuration(group: GroupId): ConfState | undefined {
    return this.facts(group).configuration;
  }

  private noteConfiguration({ group, applied, configuration }: ReplicaStatus): void {
    const facts = this.facts(group);
    if (applied < facts.configurationIndex || configuration.voters.length === 0) return;
    if (JSON.stringify(configuration) !== JSON.stringify(facts.configuration)) {
      facts.configurationSince = applied;
      facts.configurationBefore = facts.configuration;
    }
    facts.configuration = configuration;
    facts.configurationIndex = applied;
  }

  /**
   * Whether every voter of a group has its newest configuration, and would still have it after a crash. Before that
   * a voter of the configuration before it may be needed to find out that it was left.
   */
  isConfigured(group: GroupId): boolean {
    const { configuration, configurationSince } = this.facts(group);
    if (configuration === undefined || configuration.votersOutgoing.length > 0) return false;
    return configuration.voters.every((member) => {
      const image = this.hosts.get(member)?.image.durable(group);
      return image !== undefined && Math.max(image.hardState.commit, image.floorIndex) >= configurationSince;
    });
  }

  private checkStatus(host: RuledHost, status: ReplicaStatus): boolean {
    const { group, role, term, commit, applied } = status;
    const key = `${host.member} ${group}`;
    const before = this.seen.get(key);
    const isSame = before?.role === role && before.term === term && before.commit === commit;
    if (isSame && before.applied === applied) return false;
    const who = `node ${host.member}, group ${group}:`;
    if (before !== undefined) {
      if (term < before.term) fail(`${who} the term goes back from ${before.term} to ${term}`);
      if (commit < before.commit)
        fail(`${who} the commit index goes back from ${before.commit} to ${commit}`);
      if (applied < before.applied)
        fail(`${who} the applied index goes back from ${before.applied} to ${applied}`);
    }
    if (applied > commit) fail(`${who} applied ${applied} is beyond commit ${commit}`);
    this.seen.set(key, { role, term, commit, applied, configuration: status.configuration });
    const wasLeading = before?.role === 'leader' && before.term === term;
    this.noteConfiguration(status);
    if (role === 'leader' && !wasLeading) this.onElected(host, status);
    // A leader that an entry of its own leaves out steps down with the commit of it.
    const hasLed = role === 'leader' || wasLeading;
    if (hasLed && commit > (before?.commit ?? 0)) this.onCommitted(host, status, before);
    this.checkApplied(host, status, before?.applied ?? applied);
    return true;
  }

  /** Leader completeness. The newest decided entry stands for those before it: log matching is checked elsewhere. */
  private onElected(host: RuledHost, { group, term }: ReplicaStatus): void {
    this.onLeader(group, term, host.member);
    const { decidedTerms, decidedIn } = this.facts(group);
    // Others may have gone on in later terms before the votes of this one arrived.
    const index = decidedIn.findLastIndex((decidedTerm) => decidedTerm < term);
    if (index < 1) return;
    const own = host.image.view(group).terms[index];
    if (own !== decidedTerms[index]) {
      fail(
        `leader completeness: ${host.member} leads group ${group} in term ${term} with ${String(own)}/${index}, ${decidedTerms[index]}/${index} was committed`,
      );
    }
  }

  private onCommitted(
    host: RuledHost,
    {
      group,
      term,
      commit,
      configuration,
    }: Pick<ReplicaStatus, 'group' | 'term' | 'commit' | 'configuration'>,
    before: Seen | undefined,
  ): void {
    const wasLeading = before?.role === 'leader' && before.term === term;
    const { terms } = host.image.view(group);
    const { decidedTerms, decidedIn, configurationBefore } = this.facts(group);
    // The change of a configuration may have been applied at once: it was committed by the one before. So it is when
    // a node decides alone while it opens, before anybody can look at it.
    const counted = before?.configuration ?? configurationBefore ?? configuration;
    const committedTerm = terms[commit];
    if (committedTerm === undefined)
      fail(`leader ${host.member} commits entry ${commit} of group ${group} that its log was never told`);
    if (wasLeading && committedTerm !== term) {
      fail(
        `leader ${host.member} of term ${term} commits ${committedTerm}/${commit} of group ${group} by counting (section 5.4.2)`,
      );
    }
    for (let index = Math.max(1, decidedTerms.length); index <= commit; index++) {
      decidedTerms[index] = terms[index] ?? 1;
      decidedIn[index] = term;
    }
    if (decidedTerms[commit] !== committedTerm) {
      fail(
        `leader ${host.member} commits ${committedTerm}/${commit} of group ${group}, ${decidedTerms[commit]}/${commit} was committed before`,
      );
    }
    const holding = this.holders(group, commit);
    if (isQuorum(configuration, holding) || isQuorum(counted, holding)) return;
    const { voters, votersOutgoing } = configuration;
    const of = [...voters, ...votersOutgoing].join(' ');
    fail(
      `leader ${host.member} commits ${committedTerm}/${commit} of group ${group}, durable on ${holding.join(' ') || 'nobody'} of ${of}`,
    );
  }

  /**
   * A node that is the only voter of a group leads it while it opens, when nobody can look at it: what it sends tells
   * what it has committed.
   */
  private onUnseenLeader(host: RuledHost, group: GroupId, { term, commit }: Message): void {
    const { decidedTerms, configuration } = this.facts(group);
    if (configuration === undefined || commit < decidedTerms.length) return;
    this.onCommitted(host, { group, term, commit, configuration }, undefined);
  }

  /** State machine safety, and that the state is never ahead of the log that would rebuild it. */
  private checkApplied(host: RuledHost, { group, applied }: ReplicaStatus, from: number): void {
    const { decidedTerms } = this.facts(group);
    const { terms, floorIndex } = host.image.durable(group);
    for (let index = Math.max(2, from, floorIndex); index <= applied; index++) {
      if (decidedTerms[index] === undefined)
        fail(`node ${host.member} applies entry ${index} of group ${group}, which nobody has committed`);
      if (terms[index] !== decidedTerms[index]) {
        fail(
          `node ${host.member} applies entry ${index} of group ${group}: ${String(terms[index])} is durable there, ${decidedTerms[index]} was committed`,
        );
      }
    }
  }

  private checkEntry(host: RuledHost, group: GroupId, entry: LogEntry, previousTerm: number): void {
    const { entries } = this.facts(group);
    const key = entry.index * TERM_SPAN + entry.term;
    const hash = hashBytes(entry.data, entry.kind);
    const known = entries.get(key);
    if (known === undefined) {
      entries.set(key, { hash, previousTerm });
      return;
    }
    if (known.hash !== hash || known.previousTerm !== previousTerm) {
      fail(
        `log matching: ${host.member} holds another entry ${entry.term}/${entry.index} of group ${group} than others, or after another`,
      );
    }
  }

  /** A snapshot takes the place of the log. What it does not hold and was committed must not go with it. */
  private onReset(
    host: RuledHost,
    group: GroupId,
    { terms }: GroupImage,
    reset: { readonly index: number; readonly term: number },
  ): void {
    const { decidedTerms } = this.facts(group);
    if (reset.index > 1 && decidedTerms[reset.index] !== reset.term) {
      fail(
        `node ${host.member} installs a snapshot of group ${group} at ${reset.term}/${reset.index}; ${String(decidedTerms[reset.index])} was committed there`,
      );
    }
    const lost = decidedTerms.findIndex((term, index) => index > reset.index && terms[index] === term);
    if (lost > 0) {
      fail(
        `node ${host.member} drops ${decidedTerms[lost]}/${lost} of group ${group}, which was committed, for a snapshot at ${reset.index}`,
      );
    }
  }

  private onTruncation(
    host: RuledHost,
    group: GroupId,
    image: GroupImage,
    entries: readonly LogEntry[],
  ): void {
    const first = entries[0] as LogEntry;
    const { decidedTerms } = this.facts(group);
    for (const { index, term } of entries) {
      const decided = decidedTerms[index];
      if (decided !== undefined && decided !== term && image.terms[index] === decided) {
        fail(
          `node ${host.member} replaces ${decided}/${index} of group ${group}, which was committed, by ${term}/${index}`,
        );
      }
    }
    const leading = host.statuses().find((status) => status.group === group && status.role === 'leader');
    if (leading?.term === first.term) {
      fail(
        `leader append-only: ${host.member} replaces entries of group ${group} from ${first.index} on in its own term ${first.term}`,
      );
    }
  }

  private checkVote(host: RuledHost, group: GroupId, { term }: Message, vote: MemberId): void {
    this.onVote(host.member, group, term, vote);
    const { hardState } = host.image.durable(group);
    const isDurable = hardState.term > term || (hardState.term === term && hardState.vote === vote);
    if (!isDurable) {
      fail(
        `node ${host.member} says that it votes for ${vote} in term ${term} of group ${group}; term ${hardState.term}, vote ${hardState.vote} is durable`,
      );
    }
  }

  private onVote(member: MemberId, group: GroupId, term: number, vote: number): void {
    if (vote === 0) return;
    const { votes } = this.facts(group);
    const key = `${member} ${term}`;
    const known = votes.get(key);
    if (known === undefined) votes.set(key, vote as MemberId);
    else if (known !== vote)
      fail(`node ${member} votes for ${known} and for ${vote} in term ${term} of group ${group}`);
  }

  private checkAcknowledgement(host: RuledHost, group: GroupId, { term, index, to }: Message): void {
    const durable = host.image.durable(group);
    if (durable.hardState.term < term || lastIndexOf(durable) < index) {
      fail(
        `node ${host.member} acknowledges ${index} in term ${term} of group ${group}; ${lastIndexOf(durable)} in term ${durable.hardState.term} is durable`,
      );
    }
    const leader = this.hosts.get(to);
    const leading = leader?.statuses().find((status) => status.group === group && status.role === 'leader');
    if (leader === undefined || leading?.term !== term || index <= durable.floorIndex) return;
    const [here, there] = [durable.terms[index], leader.image.view(group).terms[index]];
    if (there !== undefined && here !== there) {
      fail(
        `node ${host.member} acknowledges ${there}/${index} of group ${group} to its leader, ${String(here)}/${index} is durable`,
      );
    }
  }

  private holders(group: GroupId, index: number): MemberId[] {
    const term = this.facts(group).decidedTerms[index];
    const holding: MemberId[] = [];
    for (const { member, image } of this.hosts.values()) {
      const { terms, floorIndex } = image.durable(group);
      if (floorIndex > index || terms[index] === term) holding.push(member);
    }
    return holding;
  }

  private facts(group: GroupId): GroupFacts {
    let facts = this.groups.get(group);
    if (facts === undefined) {
      facts = noFacts();
      this.groups.set(group, facts);
    }
    return facts;
  }
}

function fail(what: string): never {
  throw new SimulationFailure(what);
}

function hashBytes(bytes: Uint8Array, kind: number): number {
  let hash = hashText(String(kind));
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash;
}
