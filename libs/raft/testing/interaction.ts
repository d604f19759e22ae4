import { EntryKind, type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import type { DataDrivenCase } from '#testkit';
import { RawNode } from '../src/raw-node';
import {
  type ConfChange,
  type ConfChangeKind,
  type ConfState,
  type Message,
  MessageType,
  type PlantedBug,
  type RaftConfig,
} from '../src/types';
import { describeEntry, describeMessage, describeReady, describeStatus } from './describe';
import { MemoryStorage } from './memory-storage';

interface Member {
  readonly config: RaftConfig;
  readonly storage: MemoryStorage;
  node: RawNode;
  /** Handed out and not applied yet. */
  toApply: LogEntry[];
  /** Held until the write of their mark is synced. */
  held: { readonly mark: number; readonly messages: readonly Message[] }[];
  applied: LogIndex;
  confState: ConfState;
}

const KINDS: Readonly<Record<string, ConfChangeKind>> = { v: 'addVoter', l: 'addLearner', r: 'remove' };
const NO_CONTEXT = new Uint8Array(0);

/**
 * A handful of members moved by hand: every message, write and application happens when a command says so. The
 * commands are the methods of `run`; libs/raft/testdata/README.md lists them.
 */
export class Interaction {
  private readonly members = new Map<number, Member>();
  private network: Message[] = [];
  private readonly cut = new Set<number>();
  private output: string[] = [];

  run(testCase: DataDrivenCase): string {
    this.output = [];
    const words = testCase.arguments.filter(({ values }) => values.length === 0).map(({ key }) => key);
    const option = (key: string): readonly string[] | undefined =>
      testCase.arguments.find((argument) => argument.key === key && argument.values.length > 0)?.values;
    this.dispatch(testCase, words, option);
    return this.output.length === 0 ? 'ok' : this.output.join('\n');
  }

  private dispatch(
    testCase: DataDrivenCase,
    words: readonly string[],
    option: (key: string) => readonly string[] | undefined,
  ): void {
    const id = Number(words[0]);
    switch (testCase.command) {
      case 'add':
        return this.add(words.map(Number), option);
      case 'campaign':
        return this.member(id).node.campaign();
      case 'tick':
        for (let count = 0; count < Number(words[1] ?? 1); count += 1) this.member(id).node.tick();
        return;
      case 'propose':
        return this.propose(id, words.slice(1), option('bytes')?.[0]);
      case 'propose-conf':
        return this.proposeConf(id, words.slice(1), option('transition')?.[0]);
      case 'read':
        return this.member(id).node.readIndex(Number(words[1]));
      case 'transfer':
        return this.member(id).node.transferLeadership(Number(words[1]) as MemberId);
      case 'ready':
        return this.ready(this.member(id), id, '');
      case 'sync':
        return this.sync(this.member(id));
      case 'apply':
        return this.apply(this.member(id));
      case 'deliver':
        return this.deliver(id, option('type')?.[0]);
      case 'drop':
        return this.drop(words.map(Number));
      case 'duplicate':
        this.network.push(...this.network.filter((message) => message.to === id));
        return;
      case 'cut':
        words.forEach((word) => this.cut.add(Number(word)));
        return;
      case 'heal':
        return this.cut.clear();
      case 'stabilize':
        return this.stabilize(
          words.length === 0 ? [...this.members.keys()] : words.map(Number),
          option('quiet'),
        );
      case 'restart':
        return this.restart(id, Number(option('surviving')?.[0] ?? 0));
      case 'compact': {
        const member = this.member(id);
        return member.storage.compact(Number(words[1]) as LogIndex, member.confState);
      }
      case 'report-snapshot':
        return this.member(id).node.reportSnapshot(Number(words[1]) as MemberId, words[2] === 'ok');
      case 'report-unreachable':
        return this.member(id).node.reportUnreachable(Number(words[1]) as MemberId);
      case 'status':
        for (const shown of words.length === 0 ? this.members.keys() : words.map(Number))
          this.output.push(describeStatus(this.member(shown).node.status()));
        return;
      case 'log':
        return this.showLog(this.member(id));
      case 'network':
        this.output.push(...this.network.map(describeMessage));
        return;
      default:
        throw new Error(`line ${testCase.line}: unknown command ${testCase.command}`);
    }
  }

  private member(id: number): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  private add(ids: readonly number[], option: (key: string) => readonly string[] | undefined): void {
    const number = (key: string, otherwise: number): number => Number(option(key)?.[0] ?? otherwise);
    const members = (key: string): MemberId[] =>
      (option(key) ?? []).map((value) => Number(value) as MemberId);
    const confState: ConfState = {
      voters: members('voters'),
      votersOutgoing: [],
      learners: members('learners'),
      learnersNext: [],
      autoLeave: false,
    };
    const floor = number('floor', 10);
    // Entries given as terms, for instance `terms=(1,1,2)` after the floor: logs that differ from the start.
    const terms = (option('terms') ?? []).map(Number);
    const entries = terms.map((term, position) => ({
      term: term as Term,
      index: (floor + 1 + position) as LogIndex,
      kind: EntryKind.normal,
      data: new TextEncoder().encode(`t${term}`),
    }));
    for (const id of ids) {
      const config: RaftConfig = {
        id: id as MemberId,
        electionTimeoutTicks: 10,
        heartbeatTicks: 2,
        maxMessageBytes: number('max-message', 1_000_000),
        maxInflightMessages: number('max-inflight', 8),
        maxInflightBytes: number('max-inflight-bytes', 1_000_000),
        maxUncommittedBytes: number('max-uncommitted', 1_000_000),
        maxCommittedBytes: number('max-committed', 1_000_000),
        preVote: option('prevote')?.[0] !== 'false',
        checkQuorum: option('check-quorum')?.[0] !== 'false',
        leaseReads: option('lease-reads')?.[0] === 'true',
        random: () => 0,
        plantedBug: option('bug')?.[0] as PlantedBug | undefined,
      };
      const term = Math.max(floor > 0 ? 1 : 0, ...terms) as Term;
      const storage = new MemoryStorage({
        hardState: { term, vote: 0 as MemberId, commit: floor as LogIndex },
        floor: { index: floor as LogIndex, term: (floor > 0 ? 1 : 0) as Term },
        floorConfState: confState,
        entries,
      });
      const applied = floor as LogIndex;
      const node = new RawNode(config, storage, { hardState: storage.image.hardState, confState, applied });
      this.members.set(id, { config, storage, node, toApply: [], held: [], applied, confState });
    }
  }

  private propose(id: number, words: readonly string[], size: string | undefined): void {
    const datas =
      size === undefined
        ? words.map((word) => new TextEncoder().encode(word))
        : [new Uint8Array(Number(size))];
    const { node } = this.member(id);
    const outcome = datas.length === 1 ? node.propose(datas[0] as Uint8Array) : node.proposeMany(datas);
    this.output.push(
      outcome.kind === 'appended'
        ? `appended ${outcome.term}/${outcome.index}`
        : `dropped: ${outcome.reason}`,
    );
  }

  private proposeConf(id: number, words: readonly string[], transition: string | undefined): void {
    const change: ConfChange = {
      changes: words.map((word) => ({
        kind: KINDS[word[0] as string] as ConfChangeKind,
        member: Number(word.slice(1)) as MemberId,
      })),
      transition: (transition ?? 'auto') as ConfChange['transition'],
      context: NO_CONTEXT,
    };
    const outcome = this.member(id).node.proposeConfChange(change);
    this.output.push(
      outcome.kind === 'appended'
        ? `appended ${outcome.term}/${outcome.index}`
        : `dropped: ${outcome.reason}`,
    );
  }

  private ready(member: Member, id: number, indent: string): void {
    if (!member.node.hasReady()) {
      this.output.push(`${indent}${id} has nothing`);
      return;
    }
    const ready = member.node.ready();
    this.output.push(...describeReady(ready).map((line) => `${indent}${line}`));
    this.network.push(...ready.messages);
    member.storage.write(ready);
    if (ready.snapshot !== undefined) {
      member.applied = ready.snapshot.index;
      member.confState = ready.snapshot.confState;
    }
    if (ready.appendMark > 0)
      member.held.push({ mark: ready.appendMark, messages: ready.messagesAfterDurable });
    member.toApply.push(...ready.committedEntries);
  }

  /** The oldest write reaches the disk: what was held for it leaves. */
  private sync(member: Member): void {
    const mark = member.storage.syncOne();
    const held = member.held.shift();
    if (held?.mark !== mark) throw new Error(`mark ${mark} was synced, ${held?.mark} was next`);
    for (const message of held.messages) this.output.push(`send ${describeMessage(message)}`);
    this.network.push(...held.messages);
    member.node.appendDone(mark);
  }

  private apply(member: Member): void {
    const entries = member.toApply;
    member.toApply = [];
    for (const entry of entries)
      if (entry.kind === EntryKind.confChange) member.confState = member.node.applyConfChange(entry.data);
    const last = entries.at(-1);
    if (last === undefined) return;
    member.applied = last.index;
    // A host makes a snapshot from its state when it is asked for one: what it can send is what it has applied.
    member.storage.available = { index: last.index, term: last.term, confState: member.confState };
    member.node.applied(last.index);
  }

  private deliver(to: number, typeName: string | undefined): void {
    const type = typeName === undefined ? undefined : MessageType[typeName as keyof typeof MessageType];
    const wanted = (message: Message): boolean =>
      message.to === to && (type === undefined || message.type === type);
    const messages = this.network.filter(wanted);
    this.network = this.network.filter((message) => !wanted(message));
    for (const message of messages) this.member(to).node.step(message);
  }

  private drop(to: readonly number[]): void {
    const dropped = this.network.filter((message) => to.includes(message.to));
    this.output.push(...dropped.map((message) => `dropped ${describeMessage(message)}`));
    this.network = this.network.filter((message) => !to.includes(message.to));
  }

  /** Lets everything happen at once, member by member, until nothing is left to do. */
  private stabilize(ids: readonly number[], quiet: readonly string[] | undefined): void {
    let moved = true;
    while (moved) {
      moved = false;
      for (const id of ids) moved = this.settle(id) || moved;
      for (const id of ids) moved = this.receive(id) || moved;
    }
    if (quiet !== undefined) this.output = [];
  }

  private settle(id: number): boolean {
    const member = this.member(id);
    let moved = false;
    while (member.node.hasReady() || member.storage.writesInFlight > 0 || member.toApply.length > 0) {
      moved = true;
      if (member.node.hasReady()) {
        this.output.push(`> ${id} ready`);
        this.ready(member, id, '  ');
      }
      const before = this.output.length;
      if (member.storage.writesInFlight > 0) this.sync(member);
      // What was held has been shown already, with the ready that it belongs to.
      this.output.length = before;
      this.apply(member);
    }
    return moved;
  }

  private receive(id: number): boolean {
    const messages = this.network.filter((message) => message.to === id);
    if (messages.length === 0) return false;
    this.network = this.network.filter((message) => message.to !== id);
    this.output.push(`> ${id} receives`);
    for (const message of messages) {
      const lost = this.cut.has(message.from) || this.cut.has(id);
      this.output.push(`  ${lost ? 'lost ' : ''}${describeMessage(message)}`);
      if (!lost) this.member(id).node.step(message);
    }
    return true;
  }

  private restart(id: number, surviving: number): void {
    const member = this.member(id);
    member.storage.crash(surviving);
    member.held = [];
    member.toApply = [];
    const { hardState } = member.storage.image;
    member.node = new RawNode(member.config, member.storage, {
      hardState,
      confState: member.confState,
      applied: member.applied,
    });
    this.output.push(describeStatus(member.node.status()));
  }

  private showLog(member: Member): void {
    const { floor, entries } = member.storage.image;
    this.output.push(`floor ${floor.term}/${floor.index}`, ...entries.map(describeEntry));
  }
}
