import type { LoadResult } from '../load-generator';
import type { TargetProcess } from '../target-process';
import type { ThreeNodes } from './three-nodes';

/** What one node's log has done since it started. */
interface LogWork {
  readonly syncs: number;
  readonly syncSeconds: number;
  readonly bytes: number;
}

/** Tells what the nodes' logs did during a run: how well the writes of many clients share a sync. */
export async function withLogWork(
  system: ThreeNodes,
  run: () => Promise<LoadResult>,
  tell: (line: string) => void,
): Promise<LoadResult> {
  const leader = await system.leader();
  const before = await Promise.all(system.nodes.map(logWork));
  const result = await run();
  const after = await Promise.all(system.nodes.map(logWork));
  const parts = after.map((now, at) => {
    const was = before[at] ?? now;
    const syncs = now.syncs - was.syncs;
    const puts = (result.latency.count / syncs).toFixed(1);
    const syncMs = (((now.syncSeconds - was.syncSeconds) * 1000) / syncs).toFixed(2);
    const bytes = ((now.bytes - was.bytes) / result.latency.count).toFixed(0);
    return `${at === leader ? 'leader' : 'follower'} ${puts} puts/sync, ${syncMs} ms/sync, ${bytes} bytes/put`;
  });
  tell(parts.join('; '));
  return result;
}

async function logWork(node: TargetProcess): Promise<LogWork> {
  const text = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    syncs: value('wal_fsync_seconds_count'),
    syncSeconds: value('wal_fsync_seconds_sum'),
    bytes: value('wal_batch_bytes_sum'),
  };
}
