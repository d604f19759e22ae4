import { decodeCommand, encodeCommand } from '#codec';
import { EntryKind, groupId, type CommitSeq, type LogEntry, type LogIndex, type Term } from '#contracts';
import { MemoryStateStore, sha256, SimClock } from '#testkit';
import { Housekeeping, type HousekeepingOptions } from './housekeeping';
import type { Replica } from './replica';
import { rollForward } from './restore/roll-forward';
import { Tenants } from './tenants';

const ROUND_MS = 500;
const KEPT_COMMITS = 1;

const put = (index: number): LogEntry => ({
  index: index as LogIndex,
  term: 1 as Term,
  kind: EntryKind.normal,
  data: encodeCommand(
    {
      kind: 'write',
      ns: 'agent://kept',
      operations: [{ op: 'put', id: `o-${index}`, type: 'thing', bodyJson: '1', tags: {}, parents: [] }],
    },
    1_700_000_000_000,
  ),
});

/** Rounds over a replica that leads and has history to remove; gives the commands that it was asked to propose. */
async function proposedBy(replica: { readonly knowsAll: boolean }): Promise<string[]> {
  const store = new MemoryStateStore();
  await rollForward({
    store,
    digest: sha256,
    entries: [1, 2, 3].map(put),
    target: { kind: 'latest' },
  });
  const proposed: string[] = [];
  const led = {
    ...replica,
    isLeader: true,
    group: groupId(1),
    commitSeq: 3 as CommitSeq,
    applied: 3 as LogIndex,
    releasable: 0 as LogIndex,
    configured: { isKept: true },
    tenants: new Tenants(groupId(1), new Map()),
    store,
    propose: (bytes: Uint8Array) => {
      proposed.push(decodeCommand(bytes).command.kind);
      return Promise.resolve({ kind: 'rejected' });
    },
  };
  const clock = new SimClock();
  const housekeeping = new Housekeeping({
    driver: { all: () => [led as unknown as Replica].values() },
    log: { state: () => undefined, stats: () => ({ bytes: 0 }) } as unknown as HousekeepingOptions['log'],
    indexing: { due: () => Promise.resolve(undefined) },
    clock,
    intervalMs: ROUND_MS,
    retentionOf: () => ({ retentionMs: 10 * 365 * 86_400_000, retentionCommits: KEPT_COMMITS }),
    trimEveryEntries: 10,
    keepEntries: 10,
    logBytes: 1,
    trimmableTo: () => undefined,
    onRound: () => undefined,
    onError: (error) => {
      throw error;
    },
    plantedBug: undefined,
  });
  for (let round = 0; round < 2; round++) {
    clock.advance(ROUND_MS);
    await new Promise(setImmediate);
  }
  housekeeping.stop();
  return proposed;
}

/**
 * Goal: what a leader removes by itself never comes behind a freeze that it has yet to hear of. Method: a replica that
 * leads, before and after it has applied an entry of its own term, with history that is too long.
 */
test('a leader that does not know yet what was decided before it removes nothing', async () => {
  expect(await proposedBy({ knowsAll: false })).toEqual([]);
});

test('a leader that knows it removes old history', async () => {
  expect(await proposedBy({ knowsAll: true })).toEqual(['compact', 'compact']);
});
