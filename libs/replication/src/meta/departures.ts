import { META_GROUP, type MemberId } from '#contracts';
import type { ConfState } from '#raft';
import type { NodeStatus } from '../node-status';
import type { Replica } from '../replica';
import type { Directory } from './directory';

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
    if ([...wanted.voters, ...wanted.learners].includes(member)) return;
    if (!this.asking.has(replica)) void this.ask(replica);
  }

  /**
   * A removed member goes once a majority of those that stay have applied its removal. Until then they may still
   * need its vote to find out that the removal was committed; and a member that was away meanwhile never hears of
   * it from its group, because no leader speaks to it any more. So it asks.
   */
  private async ask(replica: Replica): Promise<void> {
    const { member, gather, giveUp } = this.options;
    this.asking.add(replica);
    const statuses = await gather().finally(() => this.asking.delete(replica));
    const without = statuses.flatMap(({ member: from, replicas }) =>
      replicas
        .filter(({ group, configuration }) => {
          const hasBegun = configuration.voters.length > 0;
          return group === replica.group && hasBegun && !isMember(configuration, member);
        })
        .map(({ applied, configuration }) => ({ from, applied, configuration })),
    );
    const [newest] = without.sort((left, right) => right.applied - left.applied);
    if (newest === undefined) return;
    const { voters } = newest.configuration;
    const agreeing = without.filter(({ from }) => voters.includes(from));
    if (agreeing.length * 2 > voters.length) giveUp(replica);
  }
}

function isMember({ voters, votersOutgoing, learners, learnersNext }: ConfState, member: MemberId): boolean {
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext].includes(member);
}
