import { encodeCommand } from '#codec';
import { EntryKind, type CommitSeq, type LogEntry, type LogIndex, type Term } from '#contracts';
import { readApplied } from '#state-machine';
import { MemoryStateStore, sha256 } from '#testkit';
import { rollForward, type RollTarget } from './roll-forward';

/** More than are applied as one write, and not a multiple of those. */
const ENTRIES = 700;
const FIRST_MS = 1_700_000_000_000;

/** One put each, a second apart. */
const LOG: readonly LogEntry[] = Array.from({ length: ENTRIES }, (_, at) => ({
  index: (at + 1) as LogIndex,
  term: 1 as Term,
  kind: EntryKind.normal,
  data: encodeCommand(
    {
      kind: 'write',
      ns: 'agent://rolled',
      operations: [{ op: 'put', id: `o-${at}`, type: 'thing', bodyJson: `${at}`, tags: {}, parents: [] }],
    },
    FIRST_MS + at * 1_000,
  ),
}));

/**
 * Goal: a log is followed to where it was asked for, however long it is. Method: a log of several writes to the state,
 * to its end, to positions on both sides of the bounds between writes, and to a moment.
 */
test.each<[RollTarget, number]>([
  [{ kind: 'snapshot' }, 0],
  [{ kind: 'latest' }, ENTRIES],
  ...[1, 255, 256, 257, 512, 513, ENTRIES].map((seq): [RollTarget, number] => [
    { kind: 'seq', seq: seq as CommitSeq },
    seq,
  ]),
  [{ kind: 'time', timeMs: FIRST_MS + 299_500 }, 300],
  [{ kind: 'time', timeMs: FIRST_MS - 1 }, 0],
])('%j is %d entries', async (target, entries) => {
  const store = new MemoryStateStore();
  const progress: number[] = [];
  const rolled = await rollForward({
    store,
    digest: sha256,
    entries: LOG,
    target,
    onProgress: (applied) => Promise.resolve(void progress.push(applied)),
  });
  expect(rolled).toMatchObject({ index: entries, entries, commitSeq: entries });
  expect(readApplied(store)).toMatchObject({ appliedIndex: entries, commitSeq: entries });
  expect(progress).toEqual([...progress].sort((left, right) => left - right));
});
