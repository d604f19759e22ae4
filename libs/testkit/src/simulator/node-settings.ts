import type { RaftConfig } from '#raft';
import type { SeededStream } from './random';

export const TICK_MS = 20;
export const ELECTION_TICKS = 10;

/** Small enough that a short run meets every bound: segments fill up, entries leave memory, messages are split. */
export const LIMITS_OF_A_RUN = {
  log: { segmentBytes: 16_384, recentBytes: 16_384, lowWaterBytes: 65_536 },
  node: {
    tickMs: TICK_MS,
    replicaLimits: { maxPendingProposals: 64, maxPendingReads: 64, rowCacheBytes: 16_384 },
    watchLimits: {
      maxWatchers: 100,
      maxWatchersPerOwner: 100,
      bufferEvents: 64,
      bufferBytes: 65_536,
      bookmarkMs: 200,
      keepAliveMs: 1_000,
      stallMs: 2_000,
      pageBytes: 4_096,
    },
    tuning: {
      housekeepingMs: 150,
      keepEntries: 20,
      trimEveryEntries: 10,
      indexRowsPerStep: 1,
      snapshotChunkBytes: 4_096,
      snapshotIdleMs: 1_000,
      snapshotChunkTimeoutMs: 300,
      snapshotChunkAttempts: 4,
    },
    snapshotPolicy: { intervalMs: 0, keep: 2, logBytes: 65_536 },
    historyRetentionMs: 24 * 3_600_000,
    historyRetentionCommits: 1_000_000,
  },
} as const;

/** So few that a run comes beyond them, and enough for most watchers that were cut off. */
export const SHORT_HISTORY = { historyRetentionCommits: 100 } as const;

export function raftSettings(random: SeededStream): Omit<RaftConfig, 'id' | 'random' | 'plantedBug'> {
  return {
    electionTimeoutTicks: ELECTION_TICKS,
    heartbeatTicks: 2,
    maxMessageBytes: 1_024,
    maxInflightMessages: 8,
    maxInflightBytes: 8_192,
    maxUncommittedBytes: 16_384,
    maxCommittedBytes: 2_048,
    preVote: !random.chance(0.1),
    checkQuorum: true,
    leaseReads: false,
  };
}
