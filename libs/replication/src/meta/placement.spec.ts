import fc from 'fast-check';
import { memberId, type MemberId, type NodeName } from '#contracts';
import type { NodeDocument } from './documents';
import { META_VOTERS, planMeta, planVoters } from './placement';

const node = (member: number, region: string, state: NodeDocument['state'] = 'active'): NodeDocument => ({
  member: memberId(member),
  name: `node-${member}` as NodeName,
  region,
  host: 'h',
  port: 1,
  httpUrl: '',
  incarnation: '',
  state,
});
const members = (...numbers: number[]): MemberId[] => numbers.map(memberId);
const plan = (
  replicas: number,
  voters: number[],
  nodes: NodeDocument[],
  regions?: string[],
): readonly number[] => planVoters({ replicas, voters: members(...voters), regions }, nodes);

describe('the voters of a group', () => {
  const five = [node(1, 'a'), node(2, 'a'), node(3, 'a'), node(4, 'b'), node(5, 'c')];

  test('are spread over regions before nodes', () => {
    expect(plan(3, [], five)).toEqual([1, 4, 5]);
    expect(plan(4, [], five)).toEqual([1, 2, 4, 5]);
  });

  test('stay where they are, also where another spread would be better', () => {
    expect(plan(3, [1, 2, 3], five)).toEqual([1, 2, 3]);
  });

  test('that leave or are removed are replaced', () => {
    expect(plan(3, [1, 2, 3], [node(1, 'a', 'leaving'), ...five.slice(1)])).toEqual([2, 3, 4]);
    expect(plan(3, [1, 2, 3], [node(1, 'a', 'removed'), ...five.slice(1)])).toEqual([2, 3, 4]);
  });

  test('are only in the regions of the placement', () => {
    expect(plan(3, [], five, ['b', 'c'])).toEqual([4, 5]);
    expect(plan(3, [1, 4], five, ['b', 'c'])).toEqual([4, 5]);
    expect(plan(3, [], five, ['nowhere'])).toEqual([]);
  });

  test('are no more than asked for', () => {
    expect(plan(1, [2, 3], five)).toEqual([2]);
  });
});

test('the meta group votes on five, and everyone else that is not removed follows', () => {
  const nodes = [1, 2, 3, 4, 5, 6].map((member) => node(member, 'a'));
  const gone = [...nodes, node(7, 'a', 'leaving'), node(8, 'a', 'removed')];
  expect(planMeta([], gone)).toEqual({ voters: [1, 2, 3, 4, 5], learners: [6, 7] });
  expect(META_VOTERS).toBe(5);
});

test('any plan is allowed, full where it can be, the same for every order of the nodes, and stable', () => {
  const nodes = fc.uniqueArray(
    fc.record({
      member: fc.integer({ min: 1, max: 12 }),
      region: fc.constantFrom('a', 'b', 'c'),
      state: fc.constantFrom('active' as const, 'active' as const, 'leaving' as const, 'removed' as const),
    }),
    { selector: ({ member }) => member, maxLength: 9 },
  );
  const regions = fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { nil: undefined });
  fc.assert(
    fc.property(
      nodes,
      fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
      regions,
      (drawn, voters, replicas, allowedRegions) => {
        const documents = drawn.map(({ member, region, state }) => node(member, region, state));
        const planned = plan(replicas, voters, documents, allowedRegions);
        const allowed = documents.filter(
          ({ state, region }) => state === 'active' && (allowedRegions?.includes(region) ?? true),
        );
        const allowedMembers: number[] = allowed.map(({ member }) => member);
        expect(planned.every((member) => allowedMembers.includes(member))).toBe(true);
        expect(planned.length).toBe(Math.min(replicas, allowed.length));
        expect(plan(replicas, voters, [...documents].reverse(), allowedRegions)).toEqual(planned);
        expect(plan(replicas, [...planned], documents, allowedRegions)).toEqual(planned);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});
