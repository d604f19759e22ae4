import type { CommitSeq } from '#contracts';
import { firstAvailable, openScan, readChanges } from '#state-machine';
import type { ChangePage, ChangeSource, ObjectScan, WatchFilter } from '#watch';
import type { Clock } from './ports';
import type { Replica } from './replica';

/** The history that watchers fall back on, read from the replica that this node holds of their namespace. */
export class ReplicaChangeSource implements ChangeSource {
  constructor(
    private readonly replicaOf: (ns: string) => Replica,
    private readonly clock: Clock,
  ) {}

  position(ns: string): CommitSeq {
    return this.replicaOf(ns).commitSeq;
  }

  firstAvailable(ns: string): CommitSeq {
    return firstAvailable(this.replicaOf(ns).store, ns);
  }

  changes(ns: string, from: CommitSeq, maxBytes: number): ChangePage {
    return readChanges(this.replicaOf(ns).store, ns, from, maxBytes);
  }

  openScan(ns: string, filter: WatchFilter): ObjectScan {
    return openScan(this.replicaOf(ns).store, ns, filter, this.clock.wallMs());
  }
}
