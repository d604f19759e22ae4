import { EntryKind, type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import { MemoryStorage } from '../testing/memory-storage';
import { invariantReporter } from './invariant';
import { RaftLog } from './log';
import type { Ready } from './types';

/**
 * Goal: an entry counts as durable only when no crash can take it back. Method: the log over a storage whose
 * writes are synced by hand; entries are replaced while their writes are in flight.
 */

const index = (value: number): LogIndex => value as LogIndex;
const entry = (term: number, at: number): LogEntry => ({
  term: term as Term,
  index: index(at),
  kind: EntryKind.normal,
  data: new Uint8Array([term]),
});
const NOBODY = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

function open(): {
  log: RaftLog;
  write: () => void;
  sync: () => void;
  synced: (at: number, term: number) => boolean;
} {
  const hardState = { term: 1 as Term, vote: 0 as MemberId, commit: index(0) };
  const storage = new MemoryStorage({
    hardState,
    floor: { index: index(0), term: 0 as Term },
    floorConfState: NOBODY,
    entries: [entry(1, 1)],
  });
  const log = new RaftLog(
    storage,
    { hardState, confState: NOBODY, applied: index(0) },
    invariantReporter(1),
    false,
  );
  return {
    log,
    write: () => {
      const { mark, entries } = log.handOut(undefined);
      storage.write({ appendMark: mark, entries } as unknown as Ready);
    },
    sync: () => log.durability.done(storage.syncOne()),
    synced: (at, term) => storage.holdsDurably(index(at), term as Term),
  };
}

describe('durability', () => {
  it('moves on with the writes, in their order', () => {
    const { log, write, sync } = open();
    expect(log.durability.index).toBe(1);
    log.maybeAppend(entry(1, 1), [entry(2, 2), entry(2, 3)], index(0));
    write();
    log.maybeAppend(entry(2, 3), [entry(2, 4)], index(0));
    write();
    expect(log.durability.index).toBe(1);
    sync();
    expect(log.durability.index).toBe(3);
    sync();
    expect(log.durability.index).toBe(4);
    expect(log.durability.isSettled).toBe(true);
  });

  it('does not take the write of replaced entries for the same entries written again later', () => {
    const { log, write, sync, synced } = open();
    const old = [entry(2, 2), entry(2, 3)];
    log.maybeAppend(entry(1, 1), old, index(0));
    write();
    log.maybeAppend(entry(1, 1), [entry(3, 2)], index(0));
    write();
    log.maybeAppend(entry(1, 1), old, index(0));
    write();
    // The first write has put the very same entries on the disk, but the second is about to replace them.
    sync();
    expect(synced(3, 2)).toBe(true);
    expect(log.durability.index).toBe(1);
    sync();
    expect(synced(3, 2)).toBe(false);
    expect(log.durability.index).toBe(1);
    sync();
    expect(log.durability.index).toBe(3);
  });

  it('goes back when durable entries are replaced', () => {
    const { log, write, sync } = open();
    log.maybeAppend(entry(1, 1), [entry(2, 2), entry(2, 3)], index(0));
    write();
    sync();
    log.maybeAppend(entry(2, 2), [entry(4, 3)], index(0));
    expect(log.durability.index).toBe(2);
    write();
    sync();
    expect(log.durability.index).toBe(3);
  });

  it('leaves out what was replaced before it was handed out', () => {
    const { log, write, sync } = open();
    log.maybeAppend(entry(1, 1), [entry(2, 2), entry(2, 3)], index(0));
    log.maybeAppend(entry(1, 1), [entry(3, 2)], index(0));
    expect(log.lastIndex).toBe(2);
    write();
    sync();
    expect(log.durability.index).toBe(2);
  });

  it('never replaces a committed entry', () => {
    const { log } = open();
    log.maybeAppend(entry(1, 1), [entry(2, 2)], index(2));
    expect(() => log.maybeAppend(entry(1, 1), [entry(3, 2)], index(0))).toThrow(
      'conflicts with a committed one',
    );
  });
});
