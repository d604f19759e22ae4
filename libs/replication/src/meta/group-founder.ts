import { META_GROUP, NO_MEMBER, StateError, type GroupId, type MemberId } from '#contracts';
import type { Driver } from '../driver';
import type { Clock } from '../ports';
import type { ReplicaHost } from '../replica-host';
import type { Directory } from './directory';
import { cannotBegin } from './groups-in-use';
import type { MetaWriter } from './meta-writer';

export interface GroupFounderOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly directory: Directory;
  readonly host: ReplicaHost;
  /** Whether this node may hold a group, wherever its documents say that it is. */
  readonly mayHold: (group: GroupId) => boolean;
  readonly writer: Pick<MetaWriter, 'writeGroup'>;
  readonly clock: Clock;
  readonly onFatal: (error: Error) => void;
}

const READ_TIMEOUT_MS = 5_000;

/**
 * Begins groups that were written down. All founders begin a group in the same state, and only while its document
 * says that it is forming, as of a linearizable read: one that lost or gave up its replica since must not begin it
 * again, because with an empty log it would vote for anyone. So a founder that comes too late is an empty member of
 * the group, and gets its state from the leader.
 */
export class GroupFounder {
  private readonly busy = new Set<GroupId>();

  constructor(private readonly options: GroupFounderOptions) {}

  step(): void {
    const { directory, driver, member } = this.options;
    for (const document of directory.groups.values()) {
      const { group, forming, founders } = document;
      if (!forming || !this.options.mayHold(group) || cannotBegin(document, directory.nodes)) continue;
      const replica = driver.get(group);
      if (replica?.knowsAll === true) this.run(group, () => this.formed(group));
      else if (replica === undefined && founders.includes(member)) this.run(group, () => this.begin(group));
      // One of them need not wait for an election timeout: the others follow.
      else if (replica?.leader === NO_MEMBER && founders[0] === member) replica.campaign();
    }
  }

  private run(group: GroupId, work: () => Promise<void>): void {
    if (this.busy.has(group)) return;
    this.busy.add(group);
    void work()
      .catch((error: unknown) => {
        // The meta group has no leader just now: it is tried again.
        if (!(error instanceof StateError)) this.options.onFatal(error as Error);
      })
      .finally(() => this.busy.delete(group));
  }

  private async begin(group: GroupId): Promise<void> {
    const { driver, directory, host, clock, member } = this.options;
    const meta = driver.get(META_GROUP);
    if (meta === undefined) return;
    await meta.readLinearizable(() => undefined, clock.monotonicMs() + READ_TIMEOUT_MS);
    const document = directory.groups.get(group);
    if (document?.forming !== true || driver.get(group) !== undefined) return;
    const replica = await host.open(group, document.founders);
    if (document.founders[0] === member) replica.campaign();
  }

  /** The first leader has committed with a majority of the founders: whoever is missing joins from here on. */
  private async formed(group: GroupId): Promise<void> {
    const document = this.options.directory.groups.get(group);
    if (document?.forming === true) await this.options.writer.writeGroup({ ...document, forming: false });
  }
}
