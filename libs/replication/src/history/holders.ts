import type { GroupId, MemberId } from '#contracts';
import { noLeader } from '../pending-reads';
import type { Network } from '../ports';

export interface HoldersOptions {
  readonly member: MemberId;
  readonly network: Network;
  /** Nodes that hold a replica of a group, as far as this node knows. */
  readonly holders: (group: GroupId) => readonly MemberId[];
}

/** The nodes that hold what this one does not: asked one after the other, and the one that answered last first. */
export class Holders {
  private readonly answered = new Map<GroupId, MemberId>();

  constructor(private readonly options: HoldersOptions) {}

  /** Asks until one answers; rejects with what the last one said, or `no_leader` when there is nobody to ask. */
  async ask(
    group: GroupId,
    kind: number,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<{ readonly by: MemberId; readonly answer: Uint8Array }> {
    let failure: unknown = noLeader();
    for (const by of this.inOrder(group)) {
      try {
        const answer = await this.askOne(by, kind, body, timeoutMs);
        this.answered.set(group, by);
        return { by, answer };
      } catch (error) {
        if (this.answered.get(group) === by) this.answered.delete(group);
        failure = error;
      }
    }
    throw failure;
  }

  askOne(member: MemberId, kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.options.network.request(member, kind, body, { timeoutMs, channel: 'bulk' });
  }

  private inOrder(group: GroupId): readonly MemberId[] {
    const { member, network, holders } = this.options;
    const first = this.answered.get(group);
    return holders(group)
      .filter((other) => other !== member && network.connected(other))
      .sort((left, right) => Number(right === first) - Number(left === first));
  }
}
