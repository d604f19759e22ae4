import type { GroupId, LogIndex, MemberId, Term } from '#contracts';
import type { NodeStatus } from '../node-status';
import type { Replica } from '../replica';

interface Check {
  readonly term: Term;
  readonly configuredAt: LogIndex;
  /** And is where it may hold something. */
  readonly holdsNothing: boolean;
}

/**
 * Sees to it that a node is taken into a group only while it holds nothing of it. Who was a member before may still
 * have its old replica and be about to give it up: what that acknowledged under the new membership would go with it.
 * Such a node gives up first, and then is taken in.
 */
export class Newcomers {
  private readonly checks = new Map<string, Check>();
  private readonly asking = new Set<string>();

  constructor(
    /** What a node says of itself; `undefined` when it does not answer. */
    private readonly ask: (member: MemberId) => Promise<NodeStatus | undefined>,
    /** A node may be taken in that could not before. */
    private readonly onAnswer: () => void,
    /** Whether nodes of a region may hold the group: a node may have come back in another one than is written down. */
    private readonly mayBeIn: (group: GroupId, region: string) => boolean,
  ) {}

  /**
   * Whether the leader of a group knows that `member` holds nothing of it; if not, it asks. The answer stays true
   * while this leader leads in the same term and configuration: nobody else can have taken the node in meanwhile.
   */
  mayJoin(replica: Replica, member: MemberId): boolean {
    const key = `${replica.group} ${member}`;
    const { term } = replica.status();
    const configuredAt = replica.configured.at;
    const check = this.checks.get(key);
    if (check?.holdsNothing === true && check.term === term && check.configuredAt === configuredAt)
      return true;
    if (this.asking.has(key)) return false;
    this.asking.add(key);
    void this.ask(member)
      .finally(() => this.asking.delete(key))
      .then((status) => {
        const held = status?.replicas.find(({ group }) => group === replica.group);
        const holdsNothing =
          status !== undefined &&
          this.mayBeIn(replica.group, status.region) &&
          (held?.configuration.voters.length ?? 0) === 0;
        this.checks.set(key, { term, configuredAt, holdsNothing });
        if (holdsNothing) this.onAnswer();
      });
    return false;
  }
}
