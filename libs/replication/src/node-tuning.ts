/** How a node paces its upkeep. */
export interface NodeTuning {
  readonly housekeepingMs: number;
  /** Most objects, or rows, that one step of building or removing indexes goes through. */
  readonly indexRowsPerStep: number;
  /** The log keeps this many entries for followers that are a little behind, and is trimmed in steps of about so many. */
  readonly keepEntries: number;
  readonly trimEveryEntries: number;
  /** Above this many bytes the log is trimmed as far as live members allow. */
  readonly logBytes: number;
  /** How long a stop waits for clients and for a successor. */
  readonly stopGraceMs: number;
  /** A node that nobody reaches for this long loses its places to others, where there are any. */
  readonly nodeLostMs: number;
  /** How often leaders are looked at, and one of them moved if they are not spread. */
  readonly balanceMs: number;
  readonly snapshotChunkBytes: number;
  /** A snapshot that its receiver has not asked about for this long is given up. */
  readonly snapshotIdleMs: number;
  readonly snapshotChunkTimeoutMs: number;
  readonly snapshotChunkAttempts: number;
}

export const NODE_TUNING: NodeTuning = {
  housekeepingMs: 500,
  indexRowsPerStep: 128,
  keepEntries: 20_000,
  trimEveryEntries: 50_000,
  logBytes: 536_870_912,
  stopGraceMs: 4_000,
  nodeLostMs: 120_000,
  balanceMs: 5_000,
  snapshotChunkBytes: 262_144,
  snapshotIdleMs: 10_000,
  snapshotChunkTimeoutMs: 5_000,
  snapshotChunkAttempts: 5,
};
