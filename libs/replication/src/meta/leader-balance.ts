import { META_GROUP, type GroupId, type MemberId } from '#contracts';
import type { NodeStatus } from '../node-status';

/** Who should take over which group, and from whom. */
export interface Handover {
  readonly group: GroupId;
  readonly from: MemberId;
  readonly to: MemberId;
}

/**
 * One step towards leaders that are spread over the nodes: a node that leads two groups more than another one, which
 * has a replica of one of them that keeps up, gives it that one. Ends where no step makes it more even.
 */
export function nextHandover(statuses: readonly NodeStatus[]): Handover | undefined {
  const led = new Map<MemberId, number>();
  for (const { member, replicas } of statuses) {
    led.set(member, replicas.filter(({ group, role }) => group !== META_GROUP && role === 'leader').length);
  }
  const busiestFirst = [...statuses].sort(
    (left, right) => (led.get(right.member) ?? 0) - (led.get(left.member) ?? 0) || left.member - right.member,
  );
  for (const { member: from, replicas } of busiestFirst) {
    for (const { group, role, configuration, matches, commit } of replicas) {
      if (role !== 'leader' || group === META_GROUP) continue;
      const able = configuration.voters.filter((member) => {
        const match = matches.find((one) => one.member === member)?.match ?? 0;
        const isFree = (led.get(member) ?? Infinity) + 2 <= (led.get(from) ?? 0);
        return isFree && hasRoom(statuses, member) && match + KEEPS_UP_ENTRIES >= commit;
      });
      const [to] = able.sort((left, right) => (led.get(left) ?? 0) - (led.get(right) ?? 0) || left - right);
      if (to !== undefined) return { group, from, to };
    }
  }
  return undefined;
}

/** A node whose disk is nearly full gives leadership away: it is given none. */
function hasRoom(statuses: readonly NodeStatus[], member: MemberId): boolean {
  return statuses.some((status) => status.member === member && status.space === 'ok');
}

const KEEPS_UP_ENTRIES = 256;
