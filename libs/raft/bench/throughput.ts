import { EntryKind, type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import { RawNode } from '../src/raw-node';
import type { ConfState, Message, RaftConfig, RaftStorage, Ready } from '../src/types';
import { entryBytes } from '../src/entry-bytes';

/**
 * How many entries a second the core itself moves, with a log that only keeps references. Build the project, then
 * `node dist/libs/raft/bench/throughput.js`.
 */
class ArrayLog implements RaftStorage {
  private readonly held: LogEntry[] = [];

  firstIndex = (): LogIndex => 1 as LogIndex;
  lastIndex = (): LogIndex => this.held.length as LogIndex;
  term = (index: LogIndex): Term | undefined => (index === 0 ? (0 as Term) : this.held[index - 1]?.term);
  snapshot = (): undefined => undefined;

  entries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    let end = low as number;
    for (let left = maxBytes; end < high; end += 1) {
      left -= entryBytes(this.held[end - 1] as LogEntry);
      if (left < 0 && end > low) break;
    }
    return this.held.slice(low - 1, end - 1);
  }

  append(entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.held.length = first.index - 1;
    for (const entry of entries) this.held.push(entry);
  }
}

const config = (id: number): RaftConfig => ({
  id: id as MemberId,
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  maxMessageBytes: 1_048_576,
  maxInflightMessages: 256,
  maxInflightBytes: 16_777_216,
  maxUncommittedBytes: 67_108_864,
  maxCommittedBytes: 16_777_216,
  preVote: true,
  checkQuorum: true,
  leaseReads: false,
  random: (bound) => (id * 7) % bound,
});

class Host {
  readonly log = new ArrayLog();
  readonly node: RawNode;
  applied = 0;

  constructor(id: number, confState: ConfState) {
    const hardState = { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };
    this.node = new RawNode(config(id), this.log, { hardState, confState, applied: 0 as LogIndex });
  }

  /** Does all the work there is, and answers the messages. */
  work(out: Message[]): void {
    while (this.node.hasReady()) {
      const ready: Ready = this.node.ready();
      this.log.append(ready.entries);
      for (const message of ready.messages) out.push(message);
      for (const message of ready.messagesAfterDurable) out.push(message);
      if (ready.appendMark > 0) this.node.appendDone(ready.appendMark);
      const { committedEntries } = ready;
      const last = committedEntries[committedEntries.length - 1];
      if (last === undefined) continue;
      for (const entry of committedEntries)
        if (entry.kind === EntryKind.normal && entry.data.byteLength > 0) this.applied += 1;
      this.node.applied(last.index);
    }
  }
}

function measure(memberCount: number, batch: number, total: number, oneByOne: boolean): number {
  const ids = Array.from({ length: memberCount }, (_, position) => (position + 1) as MemberId);
  const confState = { voters: ids, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const hosts = ids.map((id) => new Host(id, confState));
  const settle = (): void => {
    for (;;) {
      const messages: Message[] = [];
      for (const host of hosts) host.work(messages);
      if (messages.length === 0) return;
      for (const message of messages) hosts[message.to - 1]?.node.step(message);
    }
  };
  const leader = hosts[0] as Host;
  leader.node.campaign();
  settle();
  const datas = Array.from({ length: batch }, () => new Uint8Array(256));
  const start = performance.now();
  for (let proposed = 0; proposed < total; proposed += batch) {
    if (oneByOne) for (const data of datas) leader.node.propose(data);
    else leader.node.proposeMany(datas);
    settle();
  }
  const seconds = (performance.now() - start) / 1000;
  if (leader.applied !== total) throw new Error(`${leader.applied} of ${total} applied`);
  return Math.round(total / seconds);
}

function report(name: string, entriesPerSecond: number): void {
  process.stdout.write(`${name.padEnd(44)} ${entriesPerSecond.toLocaleString('en')} entries/s\n`);
}

for (const members of [1, 3])
  for (const batch of [1, 64, 2048]) {
    const total = batch * Math.ceil((batch === 1 ? 200_000 : 1_000_000) / batch);
    measure(members, batch, total, false);
    report(`${members} voters, batches of ${batch}`, measure(members, batch, total, false));
  }
report('1 voter, 64 single proposals a ready', measure(1, 64, 64 * 15_000, true));
