import { META_GROUP, groupId, memberId } from '#contracts';
import type { NodeStatus, ReplicaStatus } from '../node-status';
import { nextHandover } from './leader-balance';

/** Goal: leaders come to be spread, a step at a time, and to nobody who cannot take them. Method: statuses by hand. */

/** `1: *1 *2 3` is member 1, which leads groups 1 and 2 and follows in group 3; all of 1, 2 and 3 vote everywhere. */
function said(line: string, space: 'ok' | 'low' = 'ok', matches: Record<number, number> = {}): NodeStatus {
  const [member = '', groups = ''] = line.split(': ');
  const replicas = groups.split(' ').map((text) => {
    const group = groupId(Number(text.replace('*', '')));
    return {
      group,
      role: text.startsWith('*') ? 'leader' : 'follower',
      commit: 1_000,
      configuration: { voters: [1, 2, 3] },
      matches: [1, 2, 3].map((one) => ({ member: one, match: matches[one] ?? 1_000 })),
    } as unknown as ReplicaStatus;
  });
  return { member: memberId(Number(member)), space, replicas } as unknown as NodeStatus;
}

function steps(statuses: NodeStatus[]): readonly string[] {
  const taken: string[] = [];
  for (let next = nextHandover(statuses); next !== undefined; next = nextHandover(statuses)) {
    const { group, from, to } = next;
    taken.push(`${group}: ${from} > ${to}`);
    for (const { member, replicas } of statuses) {
      for (const replica of replicas) {
        if (replica.group !== group) continue;
        Object.assign(replica, { role: member === to ? 'leader' : 'follower' });
      }
    }
    if (taken.length > 20) throw new Error('it never ends');
  }
  return taken;
}

test('one node that leads all gives others their shares, and then it ends', () => {
  expect(steps([said('1: *1 *2 *3'), said('2: 1 2 3'), said('3: 1 2 3')])).toEqual(['1: 1 > 2', '2: 1 > 3']);
  expect(steps([said('1: *1 *2'), said('2: 1 2 *3'), said('3: 1 2 3')])).toEqual(['1: 1 > 3']);
  expect(steps([said('1: *1 *2'), said('2: 1 2 *3')])).toEqual([]);
});

test('a node that is new gets some; the meta group stays where it is', () => {
  const everyone = [said('1: *1 *2'), said('2: *3 *4 1 2'), said('3: 1 2 3 4')];
  expect(steps(everyone).length).toBe(1);
  expect(steps([said(`1: *${META_GROUP} *1`), said('2: 1'), said('3: 1')])).toEqual([]);
});

test('nobody whose disk is nearly full, who is behind, or who is no voter gets any', () => {
  expect(steps([said('1: *1 *2'), said('2: 1 2', 'low'), said('3: 1 2')])).toEqual(['1: 1 > 3']);
  const slow = { 2: 100 };
  expect(steps([said('1: *1 *2', 'ok', slow), said('2: 1 2'), said('3: 1 2')])).toEqual(['1: 1 > 3']);
  expect(steps([said('1: *1 *2'), said('4: 1 2')])).toEqual([]);
});
