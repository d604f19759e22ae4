import { META_GROUP, NO_MEMBER, type MemberId } from '#contracts';
import type { NodeStatus } from '../node-status';
import type { Replica } from '../replica';
import type { Directory } from './directory';
import { cannotBegin } from './groups-in-use';
import { isRemovalKept } from './removal';

export interface DeparturesOptions {
  readonly member: MemberId;
  readonly directory: Directory;
  /** The replicas of all nodes that answer. */
  readonly gather: () => Promise<readonly NodeStatus[]>;
  readonly giveUp: (replica: Replica) => void;
}

/** Finds the replicas that this node is to hold no more and that nobody needs any more. */
export class Departures {
  private readonly asking = new Set<Replica>();

  constructor(private readonly options: DeparturesOptions) {}

  /** Looks whether a replica can go; asks the other members first, and does nothing while that is under way. */
  look(replica: Replica): void {
    const { member, directory } = this.options;
    const wanted = directory.groups.get(replica.group);
    if (replica.group === META_GROUP || wanted === undefined) return;
    if (cannotBegin(wanted, directory.nodes)) return this.options.giveUp(replica);
    const isWanted = [...wanted.voters, ...wanted.learners].includes(member);
    // Wanted again, and nobody speaks to it: it is taken in anew only when it holds nothing from before.
    if (isWanted && (replica.leader !== NO_MEMBER || !replica.hasBegun)) return;
    if (!this.asking.has(replica)) void this.ask(replica);
  }

  /**
   * A removed member goes once those that stay need it no more ({@link isRemovalKept}). One that was away meanwhile
   * never hears of its removal from its group, because no leader speaks to it any more. So it asks.
   */
  private async ask(replica: Replica): Promise<void> {
    const { member, gather, giveUp } = this.options;
    this.asking.add(replica);
    const statuses = await gather().finally(() => this.asking.delete(replica));
    if (isRemovalKept(replica.group, member, statuses)) giveUp(replica);
  }
}
