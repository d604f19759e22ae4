import {
  type CommitSeq,
  type LogIndex,
  type NodeName,
  StateError,
  type Term,
  groupId,
  memberId,
} from '#contracts';
import type { DumpStream, LogSegment, NodeManifest, SnapshotOperations, SnapshotRecord } from '#replication';

export const SEGMENT: LogSegment = {
  name: '0000000000000001.wal',
  firstSequence: 1,
  bytes: 65_536,
  usedBytes: 500,
  neededBytes: 100,
};

/** Snapshots that are made up: each is there at once. The id of the documentation's example is one of them. */
export class MemorySnapshots implements SnapshotOperations {
  readonly taken: SnapshotRecord[] = [record('snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z')];
  /** Objects of the next dump, as JSON. */
  objects: readonly string[] = [];
  readonly dumps: { readonly ns: string | undefined; closed: boolean }[] = [];
  /** Set to make the next calls fail. */
  failure: Error | undefined;

  take(): Promise<SnapshotRecord> {
    if (this.failure) return Promise.reject(this.failure);
    const made = record(`snap-${this.taken.length}`);
    this.taken.push(made);
    return Promise.resolve(made);
  }

  trim(snapshotId: string): Promise<readonly LogSegment[]> {
    if (this.taken.some((one) => one.snapshotId === snapshotId)) return Promise.resolve([SEGMENT]);
    return Promise.reject(new StateError('not_found', 'no such snapshot'));
  }

  manifest(): Promise<NodeManifest> {
    const index = 42 as LogIndex;
    const held = { firstIndex: 2 as LogIndex, lastIndex: index, commit: index, applied: index };
    return Promise.resolve({
      clusterId: 'c0ffee',
      segments: [SEGMENT],
      groups: [0, 1].map((group) => ({ group: groupId(group), ...held, commitSeq: 30 as CommitSeq })),
      snapshots: this.taken,
      bytes: { wal: 500, state: 1_000, snapshots: 200 },
    });
  }

  dump(ns?: string): Promise<DumpStream> {
    if (this.failure) return Promise.reject(this.failure);
    const dump = { ns, closed: false };
    this.dumps.push(dump);
    const left = this.objects.map((json) => Buffer.from(json));
    return Promise.resolve({
      next: () => left.splice(0, 1),
      close: () => {
        dump.closed = true;
      },
    });
  }
}

function record(snapshotId: string): SnapshotRecord {
  const part = { term: 1 as Term, rows: 5, bytes: 100, digest: 'd1'.repeat(32) };
  return {
    snapshotId,
    createdMs: 1_700_000_000_000,
    clusterId: 'c0ffee',
    node: { member: memberId(1), name: 'node-1' as NodeName, region: 'local' },
    parts: [
      { ...part, group: groupId(0), index: 40 as LogIndex, commitSeq: 50 as CommitSeq },
      { ...part, group: groupId(1), index: 41 as LogIndex, commitSeq: 30 as CommitSeq },
    ],
  };
}
