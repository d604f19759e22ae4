import type { ClusterNode } from './cluster-node';
import { until } from './until';

export interface NamespaceAnswer {
  readonly ns: string;
  readonly regions: readonly string[] | null;
  readonly group_id: number;
  readonly state: string;
  readonly under_replicated: boolean;
}

/**
 * Sets a namespace through a node and returns its state once it is where it should be, and nothing is left behind.
 * Where older snapshots hold it, something is, until a newer one was taken: then `erasing` is as far as it comes.
 */
export async function place(
  node: Pick<ClusterNode, 'name' | 'url'>,
  ns: string,
  settings: object,
  states: readonly string[] = ['active'],
): Promise<NamespaceAnswer> {
  const path = `${node.url}/admin/namespaces/${encodeURIComponent(ns)}`;
  // A cluster that has just begun may still be electing: 503 says so, and to ask again.
  await until(`${ns} to be set`, async () => {
    const response = await fetch(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    const text = await response.text();
    if (response.status === 200) return true;
    if (response.status === 503) return undefined;
    throw new Error(`${node.name} answered ${response.status}: ${text}`);
  });
  return until(`${ns} to be where it is set to be`, async () => {
    const answer = (await (await fetch(path)).json()) as NamespaceAnswer;
    return states.includes(answer.state) ? answer : undefined;
  });
}

/** The nodes that a group's replicas are on, as a node answers. */
export async function membersOf(node: ClusterNode, group: number): Promise<readonly string[]> {
  const response = await fetch(`${node.url}/admin/cluster`);
  const { groups } = (await response.json()) as {
    groups: { group_id: number; members: { node_id: string }[] }[];
  };
  return (groups.find(({ group_id }) => group_id === group)?.members ?? [])
    .map(({ node_id }) => node_id)
    .sort();
}
