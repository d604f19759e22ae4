/** What `POST /admin/snapshot` answers, and `GET /admin/snapshots` lists. */
export interface TakenSnapshot {
  readonly snapshot_id: string;
  readonly commit_seq: number;
  readonly groups: readonly {
    readonly group_id: number;
    readonly digest: string;
    readonly index: number;
    readonly bytes: number;
  }[];
}

/** A request of an operator, which must be answered with 200. */
export async function admin<Answer>(url: string, method: string, request: string): Promise<Answer> {
  const response = await fetch(`${url}/admin/${request}`, { method });
  if (response.status !== 200) {
    throw new Error(`${method} /admin/${request} answered ${response.status}: ${await response.text()}`);
  }
  return (await response.json()) as Answer;
}

export const takeSnapshot = (url: string): Promise<TakenSnapshot> => admin(url, 'POST', 'snapshot');

export async function listSnapshots(url: string): Promise<readonly TakenSnapshot[]> {
  return (await admin<{ snapshots: readonly TakenSnapshot[] }>(url, 'GET', 'snapshots')).snapshots;
}
