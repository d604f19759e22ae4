import type { GroupId, LogIndex } from '#contracts';
import type { LogStore } from '../ports';
import { LogHold, type HoldPoints } from './log-hold';

const GROUP = 1 as GroupId;
const BOUND = 1_000;

interface HoldCase {
  readonly what: string;
  readonly points?: readonly number[];
  readonly coming?: readonly number[];
  readonly bytes?: number;
  readonly floor?: number;
  readonly last?: number;
  readonly space?: 'ok' | 'low';
}

/** A hold over a log that answers what holds ask, and nothing else. */
function holdOf({
  points = [],
  coming = [],
  bytes = 10,
  floor = 0,
  last = 40,
  space = 'ok',
}: HoldCase): LogHold {
  const asked = {
    groups: () => [GROUP],
    stats: () => ({ activeSegments: 1, bytes }),
    space: () => space,
    state: () => ({ floorIndex: floor, lastIndex: last }),
  };
  const log = asked as unknown as LogStore;
  const indexes = (numbers: readonly number[]): readonly LogIndex[] =>
    numbers as unknown as readonly LogIndex[];
  const pointsOf = (): HoldPoints => ({ published: indexes(points), coming: indexes(coming) });
  return new LogHold({ log, pointsOf, logBytes: BOUND });
}

/** Goal: what a snapshot needs to be rolled forward stays, however little room there is. Method: each case by itself. */
test.each<HoldCase & { readonly expected: number | undefined }>([
  { what: 'without a snapshot nothing is held', expected: undefined },
  { what: 'all from the oldest snapshot on is held', points: [10, 20, 30], expected: 10 },
  { what: 'up to the bound', points: [10, 20, 30], bytes: BOUND, expected: 10 },
  { what: 'past the bound only what the newest needs', points: [10, 20, 30], bytes: BOUND + 1, expected: 30 },
  { what: 'far past the bound that too', points: [10, 20, 30], bytes: 10 * BOUND, expected: 30 },
  { what: 'on a disk that is nearly full that too', points: [10, 20], space: 'low', expected: 20 },
  { what: 'a snapshot that the log does not reach', points: [10, 20], floor: 11, expected: 20 },
  { what: 'one whose next entry is the first', points: [10, 20], floor: 10, expected: 10 },
  { what: 'none that the log reaches', points: [10, 20], floor: 21, expected: undefined },
  { what: 'the first one that is being taken', coming: [10, 20], expected: 10 },
  {
    what: 'one that is being taken releases nothing',
    points: [10],
    coming: [30],
    bytes: 5 * BOUND,
    expected: 10,
  },
])('$what', ({ expected, ...hold }) => {
  expect(holdOf(hold).trimmableTo(GROUP)).toBe(expected);
});

/** Goal: a snapshot is asked for when it helps, and only then. Method: each case by itself. */
test.each<HoldCase & { readonly expected: boolean }>([
  { what: 'nobody has taken one', expected: false },
  { what: 'most of the log is behind the newest', points: [10], expected: true },
  { what: 'half of it is', points: [20], expected: false },
  { what: 'the newest is the end of the log', points: [40], expected: false },
  { what: 'the log begins with the newest', points: [20], floor: 20, expected: true },
  { what: 'a newer one is being taken', points: [10], coming: [39], expected: false },
  { what: 'the log does not reach the newest', points: [10], floor: 11, expected: false },
])('a newer one lets go of much of the log? $what: $expected', ({ expected, ...hold }) => {
  expect(holdOf(hold).wouldRelease).toBe(expected);
});

/** Goal: an operator is called where the log stays although there is no room. Method: each case by itself. */
test.each<HoldCase & { readonly expected: boolean }>([
  { what: 'up to twice the bound', points: [10], bytes: 2 * BOUND, expected: false },
  { what: 'past that', points: [10], bytes: 2 * BOUND + 1, expected: true },
  { what: 'on a disk that is nearly full', points: [10], space: 'low', expected: true },
  { what: 'without a snapshot', bytes: 9 * BOUND, space: 'low', expected: false },
])('the log is held too long? $what: $expected', ({ expected, ...hold }) => {
  expect(holdOf(hold).isOverdue).toBe(expected);
});
