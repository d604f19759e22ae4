import type { GroupId } from '#contracts';
import { NO_SETTINGS, type NamespaceDocument } from './meta/documents';
import { RouteTable } from './routing';

const NS = 'agent://pinned';
const [DEFAULT, PINNED] = [1 as GroupId, 2 as GroupId];

/** What a node of the region `eu` believes, by what it knows and how. */
function knows(
  document: Partial<NamespaceDocument> | undefined,
  { current, followed }: { readonly current: boolean; readonly followed: boolean },
): boolean {
  const whole = { ns: NS, settings: NO_SETTINGS, group: DEFAULT, movingTo: undefined, ...document };
  const namespaces = new Map(document === undefined ? [] : [[NS, whole as never]]);
  const documents = { wereCurrent: () => current, areFollowed: () => followed };
  return new RouteTable({ namespaces }, 'eu', documents).knows(NS);
}

const pin = { settings: { ...NO_SETTINGS, regions: ['eu'] } };
const away = { current: false, followed: false };
const cutOff = { current: true, followed: false };
const following = { current: true, followed: true };

describe('a route', () => {
  test('into a pin that is in force holds, however old it is', () => {
    const inForce = { ...pin, group: PINNED };
    expect([away, cutOff, following].map((how) => knows(inForce, how))).toEqual([true, true, true]);
  });

  test('to where a namespace was before its pin holds only while the move can be followed', () => {
    const beingSet = { ...pin, movingTo: PINNED };
    expect([away, cutOff, following].map((how) => knows(beingSet, how))).toEqual([false, false, true]);
  });

  test('of what is not pinned, as far as is known, holds once all was known that was decided before', () => {
    for (const document of [undefined, {}, { movingTo: PINNED }]) {
      expect([away, cutOff, following].map((how) => knows(document, how))).toEqual([false, true, true]);
    }
  });
});
