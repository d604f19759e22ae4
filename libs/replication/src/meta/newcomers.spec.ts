import { META_GROUP, groupId, memberId, type LogIndex, type Term } from '#contracts';
import type { NodeStatus } from '../node-status';
import type { Replica } from '../replica';
import { Newcomers } from './newcomers';

/**
 * Goal: a node is taken into a group only when it has said, to this leader in this term and configuration, that it
 * holds nothing of it. Method: answers by hand.
 */
const GROUP = groupId(1);
const NODE = memberId(4);

const leading = (term: number, configuredAt: number): Replica =>
  ({
    group: GROUP,
    configured: { at: configuredAt as LogIndex },
    status: () => ({ term: term as Term }),
  }) as unknown as Replica;

const holding = (group: number, voters: readonly number[], region = 'eu'): NodeStatus =>
  ({
    member: NODE,
    region,
    space: 'ok',
    replicas: [{ group, configuration: { voters } }],
  }) as unknown as NodeStatus;

/** Asks once, lets the answer arrive, and gives what is known then. */
async function known(answer: NodeStatus | undefined): Promise<Newcomers> {
  const newcomers = new Newcomers(
    () => Promise.resolve(answer),
    () => undefined,
    (_, region) => region === 'eu',
  );
  expect(newcomers.mayJoin(leading(2, 5), NODE)).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  return newcomers;
}

test('a node that holds nothing of the group, or was told nothing of it, may join', async () => {
  for (const answer of [holding(META_GROUP, [1, 2]), holding(GROUP, [])]) {
    expect((await known(answer)).mayJoin(leading(2, 5), NODE)).toBe(true);
  }
});

test('one that still holds a replica, or does not answer, may not', async () => {
  for (const answer of [holding(GROUP, [1, 2]), undefined]) {
    expect((await known(answer)).mayJoin(leading(2, 5), NODE)).toBe(false);
  }
});

test('an answer is good for its term and configuration, and for its node', async () => {
  const newcomers = await known(holding(META_GROUP, []));
  expect(newcomers.mayJoin(leading(3, 5), NODE)).toBe(false);
  expect(newcomers.mayJoin(leading(2, 6), NODE)).toBe(false);
  expect(newcomers.mayJoin(leading(2, 5), memberId(5))).toBe(false);
});

test('one that was started again in a region that the group may not be in may not join', async () => {
  expect((await known(holding(META_GROUP, [1, 2], 'us'))).mayJoin(leading(2, 5), NODE)).toBe(false);
});
