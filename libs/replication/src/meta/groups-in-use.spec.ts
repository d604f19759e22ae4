import { groupId, memberId, type GroupId, type LogIndex, type MemberId, type NodeName } from '#contracts';
import type { Versioned } from './directory';
import { NO_SETTINGS, type GroupDocument, type NamespaceDocument, type NodeDocument } from './documents';
import { cannotBegin, isInUse, isOver } from './groups-in-use';
import { groupOfPlacement } from './namespace-placement';

/**
 * Goal: a group that nobody needs and nobody may hold keeps no node from leaving, and one that somebody needs does.
 * Method: documents by hand.
 */
const GROUP = groupId(2);
const VERSION = { version: 1 } as Pick<Versioned<object>, 'version'>;

type NodeText = readonly [member: number, region: string, state: NodeDocument['state']];

const nodesOf = (...nodes: readonly NodeText[]) =>
  new Map<MemberId, Versioned<NodeDocument>>(
    nodes.map(([id, region, state]) => {
      const name = `node-${id}` as NodeName;
      const at = { host: name, port: 1, httpUrl: '', incarnation: name };
      return [memberId(id), { member: memberId(id), name, region, state, ...at, ...VERSION }];
    }),
  );

const namespaceIn = (group: GroupId, changes: Partial<NamespaceDocument> = {}) =>
  new Map<string, Versioned<NamespaceDocument>>([
    [
      'agent://a',
      {
        ...{ ns: 'agent://a', settings: NO_SETTINGS, dropped: false, group, generation: 1 },
        ...{ movingTo: undefined, erasing: [], scrubbing: [], ...changes, ...VERSION },
      },
    ],
  ]);

const pinned = (...voters: readonly number[]): Versioned<GroupDocument> => ({
  ...{ group: GROUP, regions: ['ap'], replicas: 3, readReplicas: {}, forming: false, learners: [] },
  ...{ retention: NO_SETTINGS.retention, voters: voters.map(memberId), founders: voters.map(memberId) },
  ...VERSION,
});

const NOBODY = new Map<string, Versioned<NamespaceDocument>>();
const ELSEWHERE = groupId(1);

test('a namespace needs the group that serves it, where it goes, and where bytes of it are', () => {
  const index = 5 as LogIndex;
  for (const changes of [
    { group: GROUP },
    { movingTo: GROUP },
    { erasing: [GROUP] },
    { scrubbing: [{ group: GROUP, index }] },
  ]) {
    expect(isInUse(GROUP, { namespaces: namespaceIn(ELSEWHERE, changes) })).toBe(true);
  }
  expect(isInUse(GROUP, { namespaces: namespaceIn(ELSEWHERE) })).toBe(false);
  expect(isInUse(ELSEWHERE, { namespaces: NOBODY })).toBe(true);
});

test('a group is over when nobody needs it and no node that stays may hold it', () => {
  const leaving = nodesOf([1, 'eu', 'active'], [3, 'ap', 'leaving']);
  expect(isOver(pinned(3), { nodes: leaving, namespaces: NOBODY })).toBe(true);
  expect(isOver(pinned(3), { nodes: leaving, namespaces: namespaceIn(GROUP) })).toBe(false);
  const another = nodesOf([3, 'ap', 'leaving'], [4, 'ap', 'active']);
  expect(isOver(pinned(3), { nodes: another, namespaces: NOBODY })).toBe(false);
});

test('it stays over when nodes of its region come later, and its placement gets another group', () => {
  const later = nodesOf([3, 'ap', 'removed'], [4, 'ap', 'active']);
  const groups = new Map([[GROUP, pinned(3)]]);
  expect(isOver(pinned(3), { nodes: later, namespaces: NOBODY })).toBe(true);
  expect(groupOfPlacement(pinned(3), { groups, nodes: later, namespaces: NOBODY })).toBeUndefined();
  const half = nodesOf([3, 'ap', 'removed'], [4, 'ap', 'active'], [5, 'ap', 'active']);
  expect(isOver(pinned(3, 4), { nodes: half, namespaces: NOBODY })).toBe(true);
  expect(isOver(pinned(3, 4, 5), { nodes: half, namespaces: NOBODY })).toBe(false);
});

test('a group that somebody needs is never over: its voters may still be found', () => {
  const gone = nodesOf([3, 'ap', 'removed'], [4, 'ap', 'active']);
  expect(isOver(pinned(3), { nodes: gone, namespaces: namespaceIn(GROUP) })).toBe(false);
});

test('a group that lost a majority of its founders before it began holds nothing and is never asked for again', () => {
  const nodes = nodesOf([3, 'ap', 'active'], [4, 'ap', 'removed'], [5, 'ap', 'active']);
  const forming = { ...pinned(3, 4), forming: true };
  expect(cannotBegin(forming, nodes)).toBe(true);
  expect(cannotBegin({ ...pinned(3, 4, 5), forming: true }, nodes)).toBe(false);
  expect(cannotBegin(pinned(3, 4), nodes)).toBe(false);

  // Whoever was planned in the place of a founder cannot begin it either.
  const replanned = { ...forming, voters: [3, 5].map(memberId) };
  const groups = new Map([[GROUP, replanned]]);
  const onItsWay = namespaceIn(ELSEWHERE, { movingTo: GROUP });
  expect(isOver(replanned, { nodes, namespaces: NOBODY })).toBe(true);
  expect(isOver(replanned, { nodes, namespaces: onItsWay })).toBe(false);
  expect(groupOfPlacement(replanned, { groups, nodes, namespaces: onItsWay })).toBeUndefined();
});
