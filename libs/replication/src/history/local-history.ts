import type { CommitSeq } from '#contracts';
import { firstAvailable, openScan, readChanges } from '#state-machine';
import type { ChangePage, ChangeSource, ObjectScan, WatchFilter } from '#watch';
import type { Clock } from '../ports';
import type { Replica } from '../replica';

/** The history of one replica on this node, which answers at once. */
export class LocalHistory implements ChangeSource {
  constructor(
    private readonly replica: Replica,
    private readonly clock: Clock,
  ) {}

  position(): CommitSeq {
    return this.replica.commitSeq;
  }

  firstAvailable(ns: string): CommitSeq {
    return firstAvailable(this.replica.store, ns);
  }

  changes(ns: string, from: CommitSeq, maxBytes: number): ChangePage {
    return readChanges(this.replica.store, ns, from, maxBytes);
  }

  openScan(ns: string, filter: WatchFilter): ObjectScan {
    const { replica, clock } = this;
    const { store } = replica;
    const scan = openScan(store, ns, filter, clock.wallMs());
    return {
      position: scan.position,
      next: (maxBytes, arrive) => {
        if (replica.store === store) return scan.next(maxBytes);
        // An installed snapshot has taken the place of the state that was scanned, and that one is closed.
        clock.soon(() => arrive(undefined));
        return undefined;
      },
      close: () => scan.close(),
    };
  }
}
