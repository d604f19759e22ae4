import { META_GROUP } from '#contracts';
import type { LogSegment, NodeManifest, SnapshotRecord } from '#replication';
import { PART_FORMAT_VERSION } from '#snapshots';
import { STATE_FORMAT_VERSION } from '#state-machine';
import { FORMAT_VERSION } from '#wal';
import type { HeldSnapshotView, ManifestView, SnapshotView, TrimmedView } from './snapshots.view';

/** A snapshot in the names that go on the wire. */
export function snapshotAnswer({ snapshotId, createdMs, parts }: SnapshotRecord): SnapshotView {
  const positions = parts.filter(({ group }) => group !== META_GROUP).map(({ commitSeq }) => commitSeq);
  return {
    snapshot_id: snapshotId,
    commit_seq: Math.max(0, ...positions),
    created_at: new Date(createdMs).toISOString(),
    groups: parts.map(({ group, index, commitSeq, bytes, digest }) => {
      return { group_id: group, index, commit_seq: commitSeq, bytes, digest };
    }),
  };
}

export function heldSnapshots(manifest: NodeManifest): readonly HeldSnapshotView[] {
  return manifest.snapshots.map((record) => ({
    ...snapshotAnswer(record),
    bytes: record.parts.reduce((sum, { bytes }) => sum + bytes, 0),
    cluster_id: record.clusterId,
    rolls_forward: rollsForward(record, manifest),
  }));
}

export function trimmedAnswer(segments: readonly LogSegment[]): TrimmedView {
  return {
    trimmed_segments: segments.map(({ name }) => name),
    freed_bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export function manifestAnswer(manifest: NodeManifest): ManifestView {
  const { wal, state, snapshots } = manifest.bytes;
  return {
    format_versions: { wal: FORMAT_VERSION, state: STATE_FORMAT_VERSION, snapshot: PART_FORMAT_VERSION },
    segments: manifest.segments.map(({ name, firstSequence, bytes, usedBytes, neededBytes }) => {
      return { name, first_sequence: firstSequence, bytes, used_bytes: usedBytes, needed_bytes: neededBytes };
    }),
    indexes: manifest.groups.map((held) => ({
      group_id: held.group,
      first_index: held.firstIndex,
      last_index: held.lastIndex,
      commit_index: held.commit,
      applied_index: held.applied,
      commit_seq: held.commitSeq,
    })),
    snapshots: heldSnapshots(manifest),
    bytes: { wal, state, snapshots, total: wal + state + snapshots },
  };
}

function rollsForward(record: SnapshotRecord, { clusterId, groups }: NodeManifest): boolean {
  if (record.clusterId !== clusterId) return false;
  return record.parts.every((part) => {
    const held = groups.find(({ group }) => group === part.group);
    return held !== undefined && held.firstIndex <= part.index + 1;
  });
}
