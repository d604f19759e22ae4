import { memberId, type MemberId } from '#contracts';
import { SimClock } from '#testkit';
import type { Directory } from './directory';
import { LostNodes } from './lost-nodes';
import { planAround } from './placement';

/** Goal: who is away for long loses its places to others of the allowed regions, and to nobody else. Method: links by hand. */
const REGIONS = ['eu', 'eu', 'eu', 'us'];
const NODES = REGIONS.map((region, at) => ({ member: memberId(at + 1), region, state: 'active' as const }));

function around(connected: Set<MemberId>) {
  const clock = new SimClock();
  const nodes = new Map(NODES.map((node) => [node.member, node])) as unknown as Directory['nodes'];
  const lost = new LostNodes({
    member: memberId(1),
    directory: { nodes },
    network: { connected: (member) => connected.has(member) },
    clock,
    graceMs: 1_000,
  });
  const plan = (regions: readonly string[] | undefined, replicas: number, voters: number[]) =>
    planAround(lost.all(), { regions, replicas, voters: voters.map(memberId) }, [...nodes.values()]);
  return { clock, lost, plan };
}

test('a node is lost after its grace, not before, and is back at once', () => {
  const connected = new Set([2, 3, 4].map(memberId));
  const { clock, lost } = around(connected);
  lost.look();
  connected.delete(memberId(2));
  clock.advance(999);
  lost.look();
  expect([...lost.all()]).toEqual([]);
  clock.advance(1);
  expect([...lost.all()]).toEqual([2]);
  connected.add(memberId(2));
  lost.look();
  expect([...lost.all()]).toEqual([]);
});

test('its place goes to a node of the allowed regions; where there is none, it keeps it', () => {
  const connected = new Set([3, 4].map(memberId));
  const { clock, lost, plan } = around(connected);
  lost.look();
  clock.advance(1_000);
  lost.look();
  expect(plan(['eu'], 2, [1, 2])).toEqual([1, 3]);
  expect(plan(['eu'], 3, [1, 2, 3])).toEqual([1, 2, 3]);
  expect(plan(undefined, 3, [1, 2, 3])).toEqual([1, 3, 4]);
});

test('who was never looked for counts as just seen', () => {
  const { clock, lost } = around(new Set());
  clock.advance(10_000);
  lost.look();
  expect([...lost.all()]).toEqual([]);
});
