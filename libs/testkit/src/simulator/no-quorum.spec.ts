import { StateError } from '#contracts';
import { LoneNode } from './lone-node';
import { ELECTION_TICKS, TICK_MS } from './node-settings';

const SEED = 20261128;
const ELECTION_MS = ELECTION_TICKS * TICK_MS;

/**
 * Goal: what an operator asks while nobody leads waits for an election, and is refused when there is none. Method: the
 * real node, the only one of three that is there, on simulated time.
 */
test('an operator waits for a leader as long as an election takes, and no longer', async () => {
  const lone = new LoneNode(SEED, 1 << 20, { lost: 2 });
  const { node } = (await lone.drive(lone.boot()))!;
  const begunMs = lone.nowMs;
  const refusal = await lone.drive(node.admin.removeNode('node-2').catch((error: unknown) => error));
  expect(refusal).toBeInstanceOf(StateError);
  expect(refusal).toMatchObject({ code: 'no_leader', extras: { retry_after: 1 } });
  expect((lone.nowMs - begunMs) / ELECTION_MS).toBeGreaterThan(2);
  expect((lone.nowMs - begunMs) / ELECTION_MS).toBeLessThan(4);
});
