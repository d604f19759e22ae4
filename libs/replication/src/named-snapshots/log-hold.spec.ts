import type { GroupId, LogIndex } from '#contracts';
import type { LogStore } from '../ports';
import { LogHold } from './log-hold';

const GROUP = 1 as GroupId;
const BOUND = 1_000;

/** What the hold asks of a log, and nothing else. */
function logOf(bytes: number, floorIndex = 0, space: 'ok' | 'low' = 'ok'): LogStore {
  const asked = {
    stats: () => ({ activeSegments: 1, bytes }),
    space: () => space,
    state: () => ({ floorIndex }),
  };
  return asked as unknown as LogStore;
}

/** Goal: what a snapshot needs to be rolled forward stays, as long as there is room. Method: each case by itself. */
test.each([
  { what: 'without a snapshot nothing is held', points: [], bytes: 10, expected: undefined },
  { what: 'all from the oldest snapshot on is held', points: [10, 20, 30], bytes: 10, expected: 10 },
  { what: 'up to the bound', points: [10, 20, 30], bytes: BOUND, expected: 10 },
  { what: 'past the bound only what the newest needs', points: [10, 20, 30], bytes: BOUND + 1, expected: 30 },
  { what: 'up to twice the bound', points: [10, 20, 30], bytes: 2 * BOUND, expected: 30 },
  { what: 'past twice the bound nothing', points: [10, 20, 30], bytes: 2 * BOUND + 1, expected: undefined },
  {
    what: 'on a disk that is nearly full nothing',
    points: [10],
    bytes: 10,
    space: 'low',
    expected: undefined,
  },
  { what: 'a snapshot that the log does not reach', points: [10, 20], bytes: 10, floor: 11, expected: 20 },
  { what: 'one whose next entry is the first', points: [10, 20], bytes: 10, floor: 10, expected: 10 },
  { what: 'none that the log reaches', points: [10, 20], bytes: 10, floor: 21, expected: undefined },
] as const)('$what', ({ points, bytes, expected, ...rest }) => {
  const log = logOf(bytes, 'floor' in rest ? rest.floor : 0, 'space' in rest ? rest.space : 'ok');
  const pointsOf = (): readonly LogIndex[] => points as unknown as readonly LogIndex[];
  expect(new LogHold({ log, pointsOf, logBytes: BOUND }).trimmableTo(GROUP)).toBe(expected);
});
