import { StateError } from '#contracts';
import { SimClock } from '#testkit';
import type { Clock } from '../ports';
import type { SnapshotRecord } from './archive';
import { SnapshotSchedule } from './snapshot-schedule';

const INTERVAL_MS = 3_600_000;
const STEP_MS = 1_000;

/** Goal: snapshots come at their interval, from one node, and none too many. Method: simulated time, stepped. */
class Scheduled {
  readonly clock = new SimClock();
  readonly records: { createdMs: number }[] = [];
  readonly errors: Error[] = [];
  isOurs = true;
  outgrown = 0;
  taken = 0;
  failure: Error | undefined;
  private readonly schedule: SnapshotSchedule;

  constructor(intervalMs = INTERVAL_MS) {
    const { clock, records, errors } = this;
    this.schedule = new SnapshotSchedule({
      clock: clock as unknown as Clock,
      intervalMs,
      records: () => records as unknown as readonly SnapshotRecord[],
      logOutgrown: () => this.outgrown,
      isOurs: () => this.isOurs,
      take: () => this.take(),
      onError: (error) => errors.push(error),
    });
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      this.schedule.step();
      // What a step has begun ends within it.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  }

  private take(): Promise<void> {
    this.taken++;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.records.push({ createdMs: this.clock.wallMs() });
    this.outgrown = 0;
    return Promise.resolve();
  }
}

test('the first comes at once, and the next an interval after the newest', async () => {
  const scheduled = new Scheduled();
  await scheduled.pass(STEP_MS);
  expect(scheduled.taken).toBe(1);
  await scheduled.pass(INTERVAL_MS - STEP_MS);
  expect(scheduled.taken).toBe(1);
  await scheduled.pass(STEP_MS);
  expect(scheduled.taken).toBe(2);
});

test('one that was taken by hand counts', async () => {
  const scheduled = new Scheduled();
  await scheduled.pass(INTERVAL_MS / 2);
  scheduled.records.push({ createdMs: scheduled.clock.wallMs() });
  await scheduled.pass(INTERVAL_MS - STEP_MS);
  expect(scheduled.taken).toBe(1);
  await scheduled.pass(STEP_MS);
  expect(scheduled.taken).toBe(2);
});

test('none where it is not this node’s turn, or where no interval is set', async () => {
  const scheduled = new Scheduled();
  scheduled.isOurs = false;
  await scheduled.pass(10 * STEP_MS);
  expect(scheduled.taken).toBe(0);
  scheduled.isOurs = true;
  await scheduled.pass(STEP_MS);
  expect(scheduled.taken).toBe(1);
  const never = new Scheduled(0);
  await never.pass(10 * STEP_MS);
  expect(never.taken).toBe(0);
});

test('after a failure it waits a minute, and what is no refusal is told', async () => {
  const scheduled = new Scheduled();
  scheduled.failure = new StateError('storage_full', 'no room');
  await scheduled.pass(60_000);
  expect([scheduled.taken, scheduled.errors.length]).toEqual([1, 0]);
  scheduled.failure = new Error('broken');
  await scheduled.pass(60_000);
  expect([scheduled.taken, scheduled.errors.length]).toEqual([2, 1]);
  scheduled.failure = undefined;
  await scheduled.pass(60_000);
  expect([scheduled.taken, scheduled.records.length]).toEqual([3, 1]);
});

test('one is taken when the log has outgrown its bound, also where no interval is set', async () => {
  const scheduled = new Scheduled(0);
  scheduled.outgrown = 1;
  await scheduled.pass(10 * STEP_MS);
  expect(scheduled.taken).toBe(0);
  scheduled.outgrown = 1.1;
  await scheduled.pass(10 * STEP_MS);
  expect(scheduled.taken).toBe(1);
});

test('where it is another node’s turn, only when that one has not seen to it', async () => {
  const scheduled = new Scheduled(0);
  scheduled.isOurs = false;
  scheduled.outgrown = 1.5;
  await scheduled.pass(10 * STEP_MS);
  expect(scheduled.taken).toBe(0);
  scheduled.outgrown = 1.6;
  await scheduled.pass(10 * STEP_MS);
  expect(scheduled.taken).toBe(1);
});

test('the log is given a minute to shrink, and a failure is followed by another try', async () => {
  const scheduled = new Scheduled(0);
  scheduled.outgrown = 3;
  await scheduled.pass(STEP_MS);
  scheduled.outgrown = 3;
  await scheduled.pass(59_000);
  expect(scheduled.taken).toBe(1);
  scheduled.failure = new StateError('storage_full', 'no room');
  await scheduled.pass(2_000);
  expect(scheduled.taken).toBe(2);
  scheduled.failure = undefined;
  await scheduled.pass(60_000);
  expect([scheduled.taken, scheduled.records.length]).toEqual([3, 2]);
});
