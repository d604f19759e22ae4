import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ClusterNode } from './cluster-node';

export interface Membership {
  readonly nodes: readonly string[];
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

interface ClusterAnswer {
  readonly nodes: readonly { readonly node_id: string }[];
  readonly groups: readonly {
    readonly group_id: number;
    readonly members: readonly { readonly node_id: string; readonly role: string }[];
  }[];
}

/** The member id that a node has on its disk. */
export async function memberOn(node: ClusterNode): Promise<number> {
  const text = await readFile(path.join(node.dataDir, 'node.json'), 'utf8');
  return (JSON.parse(text) as { readonly member: number }).member;
}

/** Who is in the cluster and in a group of it, as a node answers; a group that it does not see is empty. */
export async function membership(node: ClusterNode, group = 1): Promise<Membership> {
  const response = await fetch(`${node.url}/admin/cluster`);
  const { nodes, groups } = (await response.json()) as ClusterAnswer;
  const members = groups.find(({ group_id }) => group_id === group)?.members ?? [];
  const names = (learners: boolean): readonly string[] =>
    members.filter(({ role }) => (role === 'learner') === learners).map(({ node_id }) => node_id);
  return { nodes: nodes.map(({ node_id }) => node_id), voters: names(false), learners: names(true) };
}
