import {
  type CommitSeq,
  type GroupId,
  type LogIndex,
  type MemberId,
  type NodeName,
  StateError,
  type Term,
  groupId,
  memberId,
} from '#contracts';
import type { ClusterOperations, ClusterView, NodeDocument, ReplicaStatus } from '#replication';

const MEMBERS = [memberId(1), memberId(2), memberId(3)];

/** A cluster of three nodes that is made up: node-3 does not answer, and node-1 leads both groups. */
export class MemoryCluster implements ClusterOperations {
  readonly transfers: (readonly [group: GroupId, to: string])[] = [];
  /** Set to make the next calls fail. */
  failure: Error | undefined;
  leaderless = false;
  alone = false;

  view(): Promise<ClusterView> {
    if (this.failure) return Promise.reject(this.failure);
    const active = (this.alone ? MEMBERS.slice(0, 1) : MEMBERS).map((member) => node(member, 'active'));
    const nodes = this.alone ? active : [...active, node(memberId(4), 'removed')];
    return Promise.resolve({
      clusterId: 'c0ffee',
      member: memberId(1),
      nodes: nodes.map((one) => ({ ...one, alive: one.member < 3 })),
      groups: [0, 1].map((number) => {
        const replicas = MEMBERS.slice(0, 2).map((member) => this.replica(groupId(number), member));
        const leader = replicas.find(({ role }) => role === 'leader');
        const wanted =
          number === 0 ? undefined : { replicas: 3, voters: MEMBERS, learners: [], forming: false };
        const regions = number === 0 ? undefined : ['eu'];
        return { group: groupId(number), regions, leader, replicas, wanted, namespaces: number };
      }),
    });
  }

  removeNode(name: string): Promise<NodeDocument> {
    if (this.failure) return Promise.reject(this.failure);
    const member = MEMBERS.find((one) => `node-${one}` === name);
    if (member === undefined) return Promise.reject(unknownNode(name));
    return Promise.resolve(node(member, 'leaving'));
  }

  transferLeader(group: GroupId, name: string): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    if (!MEMBERS.some((one) => `node-${one}` === name)) return Promise.reject(unknownNode(name));
    this.transfers.push([group, name]);
    return Promise.resolve();
  }

  private replica(group: GroupId, member: MemberId): ReplicaStatus & { readonly member: MemberId } {
    const leads = member === 1 && !this.leaderless;
    return {
      member,
      group,
      role: leads ? 'leader' : member === 1 ? 'preCandidate' : 'follower',
      leader: memberId(this.leaderless ? 0 : 1),
      term: 7 as Term,
      commit: 42 as LogIndex,
      applied: (42 - member) as LogIndex,
      commitSeq: 30 as CommitSeq,
      configuration: {
        voters: MEMBERS.slice(0, 2),
        votersOutgoing: [],
        learners: [memberId(3)],
        learnersNext: [],
        autoLeave: false,
      },
      configurationKept: true,
      scrubbedTo: 0 as LogIndex,
      matches: leads ? MEMBERS.map((one) => ({ member: one, match: (50 - 10 * one) as LogIndex })) : [],
    };
  }
}

function node(member: MemberId, state: NodeDocument['state']): NodeDocument {
  return {
    member,
    name: (state === 'removed' ? 'node-3' : `node-${member}`) as NodeName,
    region: 'local',
    host: member === 2 ? '::1' : '127.0.0.1',
    port: 7400 + member,
    httpUrl: `http://127.0.0.1:${8080 + member}`,
    incarnation: String(member).repeat(32),
    state,
  };
}

function unknownNode(name: string): StateError {
  return new StateError('not_found', `There is no node named ${name}.`);
}
