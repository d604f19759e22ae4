import type { PlantedBug } from '#raft';
import type { PlacementBug } from '#replication';
import { STATE_BUGS, type StateBug } from '#state-machine';

/** Mistakes to make on purpose, below or beside the Raft core. */
export const HOST_BUGS = [
  /** The log forgets some of the terms and votes that it says are durable. */
  'loseHardState',
  /** A watcher is not sent one of its chunks. */
  'skipWatchChunk',
  /** A node whose disk was emptied comes back under its old identity, as if it had never begun. */
  'emptiedDisk',
  /** One replica applies commands in another way than the others. */
  'divergentState',
  /** A node that was removed while it was away does not ask whether it was. */
  'untoldRemoval',
] as const;

export const RAFT_BUGS = [
  'ackBeforeSync',
  'voteTwice',
  'commitOlderTerm',
  'applyBeyondDurable',
  'forgetTruncation',
  'readIndexSkipTermCheck',
  'skipLeaseCheckAfterPause',
  'snapshotIndexOffByOne',
] as const satisfies readonly PlantedBug[];

/** Mistakes with what is pinned and what moves; made in runs that have regions. */
export const PLACEMENT_BUGS = [
  'ignorePin',
  'skipLastRows',
  'tendFrozen',
] as const satisfies readonly PlacementBug[];

export type HostBug = (typeof HOST_BUGS)[number];
export type SimulatedBug = HostBug | (typeof RAFT_BUGS)[number] | StateBug | PlacementBug;
export const SIMULATED_BUGS: readonly SimulatedBug[] = [
  ...RAFT_BUGS,
  ...HOST_BUGS,
  ...STATE_BUGS,
  ...PLACEMENT_BUGS,
];

export const raftBug = (bug: SimulatedBug | undefined): PlantedBug | undefined =>
  RAFT_BUGS.find((name) => name === bug);

export const stateBug = (bug: SimulatedBug | undefined): StateBug | undefined =>
  STATE_BUGS.find((name) => name === bug);

export const placementBug = (bug: SimulatedBug | undefined): PlacementBug | undefined =>
  PLACEMENT_BUGS.find((name) => name === bug);
