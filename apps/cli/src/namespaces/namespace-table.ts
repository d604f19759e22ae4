import { table } from '../cluster/table';

/** What `/admin/namespaces` answers of one, as far as it is shown here. */
export interface Namespace {
  readonly ns: string;
  readonly regions: readonly string[] | null;
  readonly replicas: number;
  readonly read_replicas: Readonly<Record<string, number>>;
  readonly max_qps: number | null;
  readonly max_bytes: number | null;
  readonly history_retention_seconds: number | null;
  readonly history_retention_commits: number | null;
  /** Servers before indexes do not send them. */
  readonly indexes?: readonly string[];
  readonly indexes_building?: readonly string[] | null;
  readonly group_id: number;
  readonly state: string;
  readonly under_replicated: boolean;
}

export function explainNamespaces(namespaces: readonly Namespace[]): string {
  if (namespaces.length === 0) return 'No namespace was configured: all are in the default placement.\n';
  const rows = namespaces.map((one) => [
    one.ns,
    one.regions?.join(',') ?? 'any',
    `${one.replicas}${one.under_replicated ? ' (fewer now)' : ''}`,
    Object.entries(one.read_replicas)
      .map(([region, count]) => `${region}=${count}`)
      .join() || '-',
    String(one.group_id),
    one.state,
    limitsOf(one) || '-',
    indexesOf(one) || '-',
  ]);
  return table([
    ['NAMESPACE', 'REGIONS', 'REPLICAS', 'READERS', 'GROUP', 'STATE', 'LIMITS', 'INDEXES'],
    ...rows,
  ]);
}

function indexesOf({ indexes = [], indexes_building: building }: Namespace): string {
  return indexes.map((path) => `${path}${building?.includes(path) === true ? ' (building)' : ''}`).join();
}

function limitsOf(one: Namespace): string {
  const limits = [
    ['qps', one.max_qps],
    ['bytes', one.max_bytes],
    ['history', one.history_retention_seconds === null ? null : `${one.history_retention_seconds}s`],
    ['commits', one.history_retention_commits],
  ] as const;
  return limits
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join();
}
