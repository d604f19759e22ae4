import { EntryKind, type HardState, type LogIndex, type MemberId, type Term } from '#contracts';
import { MemoryStorage } from '../testing/memory-storage';
import { LostEntries } from './invariant';
import { RawNode } from './raw-node';
import { MessageType, type ConfState, type RaftConfig } from './types';

/** Goal: the calls a host makes, one by one, on a single voter. Method: check each ready by hand. */

const CONFIG: RaftConfig = {
  id: 1 as MemberId,
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  maxMessageBytes: 1024,
  maxInflightMessages: 4,
  maxInflightBytes: 4096,
  maxUncommittedBytes: 1024,
  maxCommittedBytes: 4096,
  preVote: true,
  checkQuorum: true,
  leaseReads: false,
  random: () => 0,
};
const ALONE: ConfState = {
  voters: [1 as MemberId],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
const FRESH: HardState = { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };

function single(config: Partial<RaftConfig> = {}) {
  const storage = new MemoryStorage({
    hardState: FRESH,
    floor: { index: 0 as LogIndex, term: 0 as Term },
    floorConfState: ALONE,
  });
  const node = new RawNode({ ...CONFIG, ...config }, storage, {
    hardState: FRESH,
    confState: ALONE,
    applied: 0 as LogIndex,
  });
  return { storage, node };
}

function settle({ storage, node }: ReturnType<typeof single>): void {
  while (node.hasReady()) {
    const ready = node.ready();
    storage.write(ready);
    if (ready.appendMark > 0) node.appendDone(storage.syncOne());
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) node.applied(last.index);
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a single voter', () => {
  it('leads only after its own vote is durable, and commits only what is durable', () => {
    const { storage, node } = single();
    node.campaign();
    expect(node.status().role).toBe('candidate');
    const voted = node.ready();
    expect(voted.hardState).toEqual({ term: 1, vote: 1, commit: 0 });
    expect(node.hasReady()).toBe(false);
    storage.write(voted);
    node.appendDone(storage.syncOne());
    expect(node.isLeader).toBe(true);

    const first = node.ready();
    expect(first.entries).toEqual([{ term: 1, index: 1, kind: EntryKind.normal, data: new Uint8Array(0) }]);
    expect(first.committedEntries).toEqual([]);
    expect(first.hardState).toBeUndefined();
    storage.write(first);
    expect(node.status().commit).toBe(0);
    node.appendDone(storage.syncOne());
    expect(node.status().commit).toBe(1);
    const committed = node.ready();
    expect(committed.committedEntries.map((entry) => entry.index)).toEqual([1]);
    // A commit index alone costs no sync.
    expect(committed.appendMark).toBe(0);
    node.applied(1 as LogIndex);
    expect(node.hasReady()).toBe(false);
  });

  it('takes further readies while appends are in flight, and commits as they become durable', () => {
    const group = single();
    const { storage, node } = group;
    node.campaign();
    settle(group);
    expect(node.propose(bytes('a'))).toEqual({ kind: 'appended', index: 2, term: 1 });
    const one = node.ready();
    storage.write(one);
    expect(node.proposeMany([bytes('b'), bytes('c')])).toEqual({ kind: 'appended', index: 3, term: 1 });
    const two = node.ready();
    storage.write(two);
    expect([one, two].map((ready) => ready.entries.length)).toEqual([1, 2]);
    expect(two.appendMark).toBeGreaterThan(one.appendMark);
    node.appendDone(storage.syncOne());
    expect(node.ready().committedEntries.map((entry) => entry.index)).toEqual([2]);
    node.appendDone(storage.syncOne());
    expect(node.ready().committedEntries.map((entry) => entry.index)).toEqual([3, 4]);
  });

  it('answers a read only after an entry of its own term is committed', () => {
    const group = single();
    const { storage, node } = group;
    node.campaign();
    storage.write(node.ready());
    node.appendDone(storage.syncOne());
    node.readIndex(77);
    storage.write(node.ready());
    expect(node.hasReady()).toBe(false);
    node.appendDone(storage.syncOne());
    expect(node.ready().readStates).toEqual([{ context: 77, index: 1, failed: false }]);
  });

  it('refuses proposals past the bound on uncommitted bytes, and lets one in when nothing waits', () => {
    const group = single({ maxUncommittedBytes: 10 });
    const { node } = group;
    node.campaign();
    settle(group);
    expect(node.propose(new Uint8Array(100)).kind).toBe('appended');
    expect(node.propose(new Uint8Array(1))).toEqual({ kind: 'dropped', reason: 'uncommittedFull' });
    settle(group);
    expect(node.propose(new Uint8Array(1)).kind).toBe('appended');
  });

  it('says that entries were lost when a leader counts on what its log does not hold', () => {
    const { node } = single();
    const heartbeat = {
      type: MessageType.heartbeat,
      from: 2 as MemberId,
      to: 1 as MemberId,
      term: 1 as Term,
      index: 0 as LogIndex,
      logTerm: 0 as Term,
      commit: 3 as LogIndex,
      entries: [],
      reject: false,
      rejectHint: 0 as LogIndex,
      context: 0,
      transfer: false,
    };
    expect(() => node.step(heartbeat)).toThrow(LostEntries);
  });

  it('throws on a mark that it did not hand out, after telling the host', () => {
    const told: string[] = [];
    const { node } = single({ onInvariant: (what) => told.push(what) });
    expect(() => node.appendDone(5)).toThrow('append 5 is not in flight');
    expect(told).toEqual(['raft member 1: append 5 is not in flight']);
  });
});
