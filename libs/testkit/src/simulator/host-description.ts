import type { SimHost } from './sim-host';

/** Where every node and each of its replicas stands, for the message of a run that does not come to its end. */
export function describeHosts(hosts: Iterable<SimHost>): string {
  return [...hosts]
    .map((host) => {
      const groups = host
        .statuses()
        .map(
          ({ group, role, leader, term, commit, applied }) =>
            `  group ${group}: ${role}, leader ${leader}, term ${term}, commit ${commit}, applied ${applied}`,
        );
      const state = host.quarantined ?? (host.isUp ? 'up' : host.isDown ? 'down' : 'starting');
      return [`node ${host.member}: ${state}`, ...groups].join('\n');
    })
    .join('\n');
}
