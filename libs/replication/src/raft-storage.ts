import type { GroupId, LogEntry, LogIndex, Term } from '#contracts';
import type { RaftStorage, SnapshotMetadata } from '#raft';
import type { LogStore } from './ports';

/** One group's part of the node's log, in the shape that the core asks for. */
export class GroupLogView implements RaftStorage {
  constructor(
    private readonly log: LogStore,
    private readonly group: GroupId,
    /** What a follower that needs compacted entries would be sent now. */
    private readonly newestSnapshot: () => SnapshotMetadata | undefined,
  ) {}

  firstIndex(): LogIndex {
    const state = this.log.state(this.group);
    return ((state?.floorIndex ?? 0) + 1) as LogIndex;
  }

  lastIndex(): LogIndex {
    return this.log.state(this.group)?.lastIndex ?? (0 as LogIndex);
  }

  term(index: LogIndex): Term | undefined {
    if (index === 0) return 0 as Term;
    return this.log.term(this.group, index);
  }

  entries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    return this.log.entries(this.group, low, high, maxBytes);
  }

  snapshot(): SnapshotMetadata | undefined {
    return this.newestSnapshot();
  }
}
