import { StateError } from '#contracts';
import { SimClock } from '#testkit';
import { whileLeaderless } from './leader-patience';
import { noLeader } from './pending-reads';
import { moved } from './refusals';

const PATIENCE_MS = 3_000;
const STEP_MS = 5;

/** Goal: whoever is patient does not notice an election. Method: requests that are refused until a moment, on simulated time. */

/** Asks until it is answered or given up; gives how often it asked, and when it was over. */
async function ask(request: (nowMs: number) => Promise<string>): Promise<{
  readonly asked: number;
  readonly overMs: number;
  readonly outcome: unknown;
}> {
  const clock = new SimClock();
  let asked = 0;
  let isOver = false;
  const outcome = whileLeaderless(clock, PATIENCE_MS, () => {
    asked += 1;
    return request(clock.monotonicMs());
  })
    .catch((error: unknown) => error)
    .finally(() => (isOver = true));
  while (!isOver) {
    await new Promise(setImmediate);
    if (!isOver) clock.advance(STEP_MS);
  }
  return { asked, overMs: clock.monotonicMs(), outcome: await outcome };
}

const ledFrom =
  (ms: number) =>
  (nowMs: number): Promise<string> =>
    nowMs < ms ? Promise.reject(noLeader()) : Promise.resolve('done');

test('it waits for a new leader to learn what was decided before it, too', async () => {
  const request = (nowMs: number): Promise<string> =>
    nowMs < 4 * STEP_MS ? Promise.reject(moved()) : ledFrom(0)(nowMs);
  const { asked, outcome } = await ask(request);
  expect(outcome).toBe('done');
  expect(asked).toBeGreaterThan(1);
});

test('it is asked once where there is a leader', async () => {
  expect(await ask(ledFrom(0))).toMatchObject({ asked: 1, outcome: 'done' });
});

test('an election is waited for, and what comes then is the answer', async () => {
  const { asked, overMs, outcome } = await ask(ledFrom(PATIENCE_MS / 2));
  expect(outcome).toBe('done');
  expect(overMs).toBeGreaterThanOrEqual(PATIENCE_MS / 2);
  expect(overMs).toBeLessThan(PATIENCE_MS / 2 + 100);
  expect(asked).toBeGreaterThan(2);
});

test('it is refused as it was last when nobody comes to lead', async () => {
  const { overMs, outcome } = await ask(ledFrom(Infinity));
  expect(outcome).toMatchObject({ code: 'no_leader', extras: { retry_after: 1 } });
  expect(overMs).toBeLessThanOrEqual(PATIENCE_MS);
  expect(overMs).toBeGreaterThan(PATIENCE_MS - 100);
});

test.each(['timeout', 'conflict', 'draining'] as const)('%s is not asked again', async (code) => {
  const { asked, outcome } = await ask(() => Promise.reject(new StateError(code, 'as it is')));
  expect({ asked, outcome }).toMatchObject({ asked: 1, outcome: { code } });
});
