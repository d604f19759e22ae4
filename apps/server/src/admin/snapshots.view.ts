import { ApiProperty } from '@nestjs/swagger';

/** What a snapshot holds of one group. */
export class SnapshotGroupView {
  @ApiProperty({ type: 'integer', example: 1 })
  group_id!: number;

  @ApiProperty({ type: 'integer', example: 42, description: 'The entry of the log that it was taken at' })
  index!: number;

  @ApiProperty({ type: 'integer', example: 30, description: 'The newest position in it' })
  commit_seq!: number;

  @ApiProperty({ type: 'integer', example: 65_536, description: 'Of its file' })
  bytes!: number;

  @ApiProperty({
    example: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    description: 'Over all of its rows: the same on every replica',
  })
  digest!: string;
}

/** A named snapshot. */
export class SnapshotView {
  @ApiProperty({ example: 'snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z' })
  snapshot_id!: string;

  @ApiProperty({
    type: 'integer',
    example: 30,
    description: 'The newest position in it; with several groups that of the group that has come furthest',
  })
  commit_seq!: number;

  @ApiProperty({ example: '2026-11-23T09:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ type: [SnapshotGroupView] })
  groups!: readonly SnapshotGroupView[];
}

/** A snapshot that this node can be restored from. */
export class HeldSnapshotView extends SnapshotView {
  @ApiProperty({ type: 'integer', example: 65_536, description: 'Of its files' })
  bytes!: number;

  @ApiProperty({
    example: '6f1c0a7de3b94c52a8d07f10c39be245',
    description: 'The cluster that it is of: a restored node is of another one',
  })
  cluster_id!: string;

  @ApiProperty({
    example: true,
    description: 'Whether the log here still has all that came after it, so that it can be rolled forward',
  })
  rolls_forward!: boolean;
}

export class SnapshotListView {
  @ApiProperty({ type: [HeldSnapshotView], description: 'Oldest first' })
  snapshots!: readonly HeldSnapshotView[];
}

/** What a trim removed. */
export class TrimmedView {
  @ApiProperty({ type: [String], example: ['0000000000000001.wal'], description: 'Files that are gone' })
  trimmed_segments!: readonly string[];

  @ApiProperty({ type: 'integer', example: 67_108_864 })
  freed_bytes!: number;
}

export class SegmentView {
  @ApiProperty({ example: '0000000000000001.wal' })
  name!: string;

  @ApiProperty({ type: 'integer', example: 1, description: 'Number of its first record in the log' })
  first_sequence!: number;

  @ApiProperty({ type: 'integer', example: 67_108_864, description: 'Of the file' })
  bytes!: number;

  @ApiProperty({ type: 'integer', example: 1_024, description: 'Of its records' })
  used_bytes!: number;

  @ApiProperty({ type: 'integer', example: 512, description: 'Of its records that are still needed' })
  needed_bytes!: number;
}

export class HeldGroupView {
  @ApiProperty({ type: 'integer', example: 1 })
  group_id!: number;

  @ApiProperty({ type: 'integer', example: 2, description: 'First entry that the log has' })
  first_index!: number;

  @ApiProperty({ type: 'integer', example: 42 })
  last_index!: number;

  @ApiProperty({ type: 'integer', example: 42 })
  commit_index!: number;

  @ApiProperty({ type: 'integer', example: 42 })
  applied_index!: number;

  @ApiProperty({ type: 'integer', example: 30, description: 'The newest position' })
  commit_seq!: number;
}

export class ManifestBytesView {
  @ApiProperty({ type: 'integer', example: 1_024 })
  wal!: number;

  @ApiProperty({ type: 'integer', example: 65_536 })
  state!: number;

  @ApiProperty({ type: 'integer', example: 65_536 })
  snapshots!: number;

  @ApiProperty({ type: 'integer', example: 132_096 })
  total!: number;
}

export class FormatVersionsView {
  @ApiProperty({ type: 'integer', example: 1 })
  wal!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  state!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  snapshot!: number;
}

/** What the node has on its disk. */
export class ManifestView {
  @ApiProperty({ type: FormatVersionsView })
  format_versions!: FormatVersionsView;

  @ApiProperty({ type: [SegmentView], description: 'Files of the log, oldest first' })
  segments!: readonly SegmentView[];

  @ApiProperty({ type: [HeldGroupView], description: 'How far each group has come here' })
  indexes!: readonly HeldGroupView[];

  @ApiProperty({ type: [HeldSnapshotView] })
  snapshots!: readonly HeldSnapshotView[];

  @ApiProperty({ type: ManifestBytesView })
  bytes!: ManifestBytesView;
}
