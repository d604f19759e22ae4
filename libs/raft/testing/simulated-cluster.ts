import type { LogIndex, MemberId, Term } from '#contracts';
import {
  type ConfChangeKind,
  type ConfState,
  type Message,
  MessageType,
  type PlantedBug,
  type RaftConfig,
} from '../src/types';
import { describeStatus } from './describe';
import { SafetyChecks, SafetyViolation } from './safety-checks';
import { SeededRandom } from './seeded-random';
import { EMPTY, SimulatedMember } from './simulated-member';

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly plantedBug?: PlantedBug;
}

const NO_CONTEXT = new Uint8Array(0);
const MAX_MEMBERS = 7;
/** Beyond this the oldest messages are lost, so that chatter does not bury what matters. */
const MAX_MESSAGES = 60;

/** A group under random trouble: everything that happens comes from one seed. */
export class SimulatedCluster {
  private readonly random: SeededRandom;
  private readonly members = new Map<MemberId, SimulatedMember>();
  private readonly checks = new SafetyChecks(this.members);
  private network: Message[] = [];
  private cut = new Set<MemberId>();
  private nextContext = 1;
  private nextProposal = 1;

  constructor(private readonly options: SimulationOptions) {
    this.random = new SeededRandom(options.seed);
    const voters = Array.from({ length: 3 + 2 * this.random.below(2) }, (_, i) => (i + 1) as MemberId);
    for (const id of voters) this.add(id, { ...EMPTY, voters }, 5);
  }

  private add(id: MemberId, confState: ConfState, floor: number): void {
    const config: RaftConfig = {
      id,
      electionTimeoutTicks: 5,
      heartbeatTicks: 2,
      maxMessageBytes: 60,
      maxInflightMessages: 3,
      maxInflightBytes: 200,
      maxUncommittedBytes: 500,
      maxCommittedBytes: 100,
      preVote: this.options.seed % 3 !== 0,
      checkQuorum: this.options.seed % 2 === 0,
      leaseReads: false,
      random: this.random.below,
      plantedBug: this.options.plantedBug,
    };
    const place = { index: floor as LogIndex, term: (floor > 0 ? 1 : 0) as Term };
    this.members.set(id, new SimulatedMember(config, place, confState));
  }

  /** Throws a `SafetyViolation`, or the core's own complaint, when something is wrong. */
  run(): void {
    for (let step = 0; step < this.options.steps; step += 1) {
      this.disturb();
      if (step % 50 === 0) this.checks.checkLogs();
    }
    this.settle();
  }

  private disturb(): void {
    const { random } = this;
    const member = random.pick([...this.members.values()]) as SimulatedMember;
    const dice = random.below(1000);
    if (dice < 90) member.node.tick();
    else if (dice < 290) this.takeReady(member);
    else if (dice < 440) this.sync(member);
    else if (dice < 520) this.apply(member, 1 + random.below(3));
    else if (dice < 880) this.deliver();
    else if (dice < 930) this.propose(member);
    else if (dice < 950) this.read(member);
    else if (dice < 953) this.crash(member);
    else if (dice < 976) this.changeMembers(member);
    else if (dice < 984) member.compact((member.applied - random.below(4)) as LogIndex);
    else if (dice < 986) member.node.transferLeadership((1 + random.below(MAX_MEMBERS)) as MemberId);
    else if (dice < 988) this.cut = new Set([member.id]);
    else if (dice < 990) this.cut.clear();
    else if (dice < 991) member.node.campaign();
    else member.node.tick();
    this.checks.afterStep(member);
  }

  private send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.checks.afterSend(message);
      this.network.push(message);
    }
    const tooMany = Math.max(0, this.network.length - MAX_MESSAGES);
    for (const message of this.network.splice(0, tooMany)) this.lose(message);
  }

  private takeReady(member: SimulatedMember): void {
    if (!member.node.hasReady()) return;
    const ready = member.takeReady();
    this.checks.afterReady(member, ready);
    this.send(ready.messages);
  }

  private sync(member: SimulatedMember): void {
    if (member.hasWriteInFlight) this.send(member.sync());
  }

  private apply(member: SimulatedMember, count: number): void {
    for (let applied = 0; applied < count && member.hasToApply; applied += 1) {
      member.applyOne();
      this.checks.afterStep(member);
    }
  }

  /** Any message, early, late, twice or never. */
  private deliver(): void {
    const { random } = this;
    if (this.network.length === 0) return;
    const at = random.chance(70) ? 0 : random.below(this.network.length);
    const message = this.network[at] as Message;
    if (!random.chance(2)) this.network.splice(at, 1);
    if (random.chance(2)) this.lose(message);
    else this.receive(message);
  }

  /** A message does not arrive. Of a snapshot the sender's host learns, because it streams the bytes. */
  private lose(message: Message): void {
    if (message.type === MessageType.installSnapshot)
      this.members.get(message.from)?.node.reportSnapshot(message.to, false);
  }

  private receive(message: Message): void {
    const target = this.members.get(message.to);
    const isCut = this.cut.has(message.from) || this.cut.has(message.to);
    if (target === undefined || isCut) {
      this.lose(message);
      return;
    }
    target.node.step(message);
    if (message.type === MessageType.installSnapshot)
      this.members.get(message.from)?.node.reportSnapshot(message.to, true);
    this.checks.afterStep(target);
  }

  private propose(member: SimulatedMember): void {
    const outcome = member.node.propose(new TextEncoder().encode(`p${this.nextProposal}`));
    if (outcome.kind === 'appended') this.nextProposal += 1;
  }

  private read(member: SimulatedMember): void {
    const context = this.nextContext;
    this.nextContext += 1;
    this.checks.readIssued(context);
    member.node.readIndex(context);
  }

  private crash(member: SimulatedMember): void {
    member.crash(this.random.below(3), this.random.below(4));
  }

  /** Members are added once and, when removed, never again. */
  private changeMembers(member: SimulatedMember): void {
    const { random } = this;
    const { confState } = member.node.status();
    if (!member.node.isLeader) return;
    const present = [...confState.voters, ...confState.learners];
    const kinds: ConfChangeKind[] = ['addVoter', 'addLearner', 'remove'];
    const fresh = (this.members.size + 1) as MemberId;
    const changes = Array.from({ length: 1 + random.below(2) }, (_, position) => {
      const id = random.pick(present) as MemberId;
      if (position === 0 && fresh <= MAX_MEMBERS && random.chance(60))
        return { kind: kinds[random.below(2)] as ConfChangeKind, member: fresh };
      return { kind: random.pick(kinds) as ConfChangeKind, member: id };
    });
    const removed = changes.filter(({ kind }) => kind === 'remove').length;
    if (confState.voters.length - removed < 2) return;
    const leave = confState.votersOutgoing.length > 0;
    const transition = random.pick(['auto', 'jointImplicit', 'jointExplicit'] as const) ?? 'auto';
    const outcome = member.node.proposeConfChange({
      changes: leave ? [] : changes,
      transition,
      context: NO_CONTEXT,
    });
    if (outcome.kind === 'appended' && !leave && changes.some((change) => change.member === fresh))
      this.add(fresh, EMPTY, 0);
  }

  /** The trouble ends: a leader must emerge, commit, and bring everyone that belongs to the group along. */
  private settle(): void {
    this.cut.clear();
    const target = `settled ${this.options.seed}`;
    for (let round = 0; round < 400; round += 1) {
      for (const member of this.members.values()) {
        member.node.tick();
        this.work(member);
      }
      const messages = this.network;
      this.network = [];
      for (const message of messages) this.receive(message);
      const leader = [...this.members.values()].find(({ node }) => node.isLeader);
      if (leader !== undefined && round % 40 === 20) leader.node.propose(new TextEncoder().encode(target));
      if (leader !== undefined && this.isSettled(leader, target)) {
        this.checks.checkLogs();
        return;
      }
    }
    const statuses = [...this.members.values()].map(({ node }) => describeStatus(node.status()));
    throw new SafetyViolation(`no progress after the trouble ended\n${statuses.join('\n')}`);
  }

  private work(member: SimulatedMember): void {
    while (member.node.hasReady() || member.hasWriteInFlight || member.hasToApply) {
      this.takeReady(member);
      while (member.hasWriteInFlight) this.sync(member);
      this.checks.afterStep(member);
      this.apply(member, Infinity);
    }
  }

  private isSettled(leader: SimulatedMember, target: string): boolean {
    const decided = this.checks.decided.get(leader.applied);
    const { confState } = leader.node.status();
    const ids = [...confState.voters, ...confState.learners];
    return (
      decided?.endsWith(`"${target}"`) === true &&
      ids.every((id) => this.members.get(id)?.applied === leader.applied)
    );
  }
}
