import type { GroupId, MemberId } from '#contracts';
import type { SafetyRules } from './safety-rules';
import type { SimHost } from './sim-host';

/**
 * Whether every member of every group has applied all that is committed. A group that lost its founders before it
 * began is nobody's any more.
 */
export function haveAppliedAll(
  groups: readonly GroupId[],
  rules: SafetyRules,
  hosts: ReadonlyMap<MemberId, SimHost>,
): boolean {
  for (const group of groups) {
    const configuration = rules.configuration(group);
    if (configuration === undefined || configuration.votersOutgoing.length > 0) return false;
    const places = [...configuration.voters, ...configuration.learners].flatMap((member) => {
      const host = hosts.get(member);
      if (host === undefined || host.quarantined !== undefined) return [];
      const status = host.statuses().find((one) => one.group === group);
      return [status === undefined ? 'none' : `${status.applied} ${status.commit}`];
    });
    if (places.every((place) => place === 'none') && isForming(group, hosts)) continue;
    if (places.some((place) => place === 'none' || place !== places[0])) return false;
  }
  return true;
}

function isForming(group: GroupId, hosts: ReadonlyMap<MemberId, SimHost>): boolean {
  return [...hosts.values()].some((host) => host.node?.directory.groups.get(group)?.forming === true);
}
