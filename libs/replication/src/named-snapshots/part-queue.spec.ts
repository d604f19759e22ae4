import type { CommitSeq, GroupId, LogIndex, Term } from '#contracts';
import { StatePieces } from '#state-machine';
import { MemoryStateStore } from '#testkit';
import type { Clock } from '../ports';
import type { PartWriter, SnapshotArchive, SnapshotPart } from './archive';
import { PartQueue } from './part-queue';

const ROWS = 800;
const ROW_BYTES = 1_024;
/** What reading a row takes of the simulated time. */
const ROW_MS = 0.02;

/** A state whose reading takes time, on a loop whose turns take time, and all that a snapshot of it does. */
class Snapshotting {
  private nowMs = 0;
  private readonly tasks: (() => void)[] = [];
  readonly pieces: { readonly readMs: number; readonly othersMs: number }[] = [];

  constructor(private readonly othersTurnMs: number) {}

  async run(): Promise<SnapshotPart> {
    const store = new MemoryStateStore();
    const puts = Array.from({ length: ROWS }, (_, row) => {
      return [Uint8Array.of(1, row >> 8, row & 0xff), new Uint8Array(ROW_BYTES)] as const;
    });
    store.write({ puts, deletes: [] });
    const clock = {
      monotonicMs: () => this.nowMs,
      soon: (task: () => void) => void this.tasks.push(task),
    } as unknown as Clock;
    const queue = new PartQueue(this.archive(), clock);
    let end: SnapshotPart | Error | undefined;
    queue.add({
      ...{ snapshotId: 'snap-1', group: 1 as GroupId, index: 1 as LogIndex, term: 1 as Term },
      commitSeq: 1 as CommitSeq,
      pieces: this.timed(new StatePieces(store, () => 'digest')),
      done: (part) => (end = part),
      failed: (error) => (end = error),
    });
    for (let turn = 0; end === undefined; turn++) {
      if (turn > 100_000) throw new Error('it does not end');
      await new Promise((resolve) => setImmediate(resolve));
      if (this.tasks.length === 0) continue;
      // Whoever else has something to do does it before those who asked for a later turn.
      this.nowMs += this.othersTurnMs;
      for (const task of this.tasks.splice(0)) task();
    }
    if (end instanceof Error) throw end;
    return end;
  }

  private timed(pieces: StatePieces): StatePieces {
    const next = pieces.next.bind(pieces);
    let endMs = 0;
    pieces.next = () => {
      const startMs = this.nowMs;
      const piece = next();
      this.nowMs += piece.rows * ROW_MS;
      this.pieces.push({ readMs: this.nowMs - startMs, othersMs: startMs - endMs });
      endMs = this.nowMs;
      return piece;
    };
    return pieces;
  }

  private archive(): SnapshotArchive {
    const writer: PartWriter = {
      write: () => Promise.resolve(),
      finish: (part) => Promise.resolve({ ...part, bytes: 0 }),
    };
    return { begin: () => writer } as unknown as SnapshotArchive;
  }
}

/** Goal: a snapshot takes what a busy node can spare, and no more; method: a loop in simulated time. */
test('beside others it has a third of the time', async () => {
  const busy = new Snapshotting(0.4);
  expect((await busy.run()).rows).toBe(ROWS);
  expect(busy.pieces.length).toBeGreaterThan(10);
  for (const [at, { othersMs }] of busy.pieces.entries()) {
    const before = busy.pieces[at - 1];
    if (before !== undefined) expect(othersMs).toBeGreaterThanOrEqual(2 * before.readMs);
  }
});

test('alone it waits for nobody', async () => {
  const idle = new Snapshotting(0.01);
  expect((await idle.run()).rows).toBe(ROWS);
  for (const { othersMs } of idle.pieces) expect(othersMs).toBeCloseTo(0.01);
});
