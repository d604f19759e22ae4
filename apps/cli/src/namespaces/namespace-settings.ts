import { UsageError } from '../terminal';

/** The options of `namespaces set`, as they were typed. */
export interface SettingOptions {
  readonly regions?: string;
  readonly replicas?: string;
  readonly readReplicas?: string;
  readonly maxQps?: string;
  readonly maxBytes?: string;
  readonly historyRetentionSeconds?: string;
  readonly historyRetentionCommits?: string;
  /** One path each time the option is given: a path may hold commas. */
  readonly index?: readonly string[];
}

/** The body that they ask for; the server checks the rest. */
export function settingsOf(options: SettingOptions): object {
  return {
    ...(options.regions !== undefined && { regions: listOf(options.regions) }),
    ...number('replicas', options.replicas),
    ...(options.readReplicas !== undefined && { read_replicas: readReplicasOf(options.readReplicas) }),
    ...number('max_qps', options.maxQps),
    ...number('max_bytes', options.maxBytes),
    ...number('history_retention_seconds', options.historyRetentionSeconds),
    ...number('history_retention_commits', options.historyRetentionCommits),
    ...(options.index !== undefined && { indexes: options.index }),
  };
}

function listOf(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim());
}

function readReplicasOf(text: string): Readonly<Record<string, number>> {
  const entries = listOf(text).map((item) => {
    const parts = /^([^=]+)=(\d{1,3})$/.exec(item);
    if (parts === null) {
      throw new UsageError(
        `${JSON.stringify(item)} is no region=number. Example: --read-replicas eu-west-1=1`,
      );
    }
    return [parts[1] ?? '', Number(parts[2])] as const;
  });
  return Object.fromEntries(entries);
}

function number(field: string, text: string | undefined): Readonly<Record<string, number>> {
  if (text === undefined) return {};
  if (!/^\d{1,15}$/.test(text)) {
    throw new UsageError(
      `${JSON.stringify(text)} is no whole number. Example: --${field.replaceAll('_', '-')} 3`,
    );
  }
  return { [field]: Number(text) };
}
