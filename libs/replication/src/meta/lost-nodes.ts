import type { MemberId } from '#contracts';
import type { Clock, Network } from '../ports';
import type { Directory } from './directory';

/**
 * Which nodes this one has had no link to for so long that others should take their places. A node that was cut off
 * itself finds all others lost, but then it leads nothing that could decide on it.
 */
export class LostNodes {
  private readonly seenMs = new Map<MemberId, number>();

  constructor(
    private readonly options: {
      readonly member: MemberId;
      readonly directory: Pick<Directory, 'nodes'>;
      readonly network: Pick<Network, 'connected'>;
      readonly clock: Pick<Clock, 'monotonicMs'>;
      /** Longer than a restart or an upgrade takes: replacing a replica costs a copy of all that it holds. */
      readonly graceMs: number;
    },
  ) {}

  /** Looks who is there; to be called now and then. Who was never looked for before counts as just seen. */
  look(): void {
    const { directory, network, clock, member } = this.options;
    const nowMs = clock.monotonicMs();
    for (const node of directory.nodes.keys()) {
      if (node === member || network.connected(node) || !this.seenMs.has(node)) this.seenMs.set(node, nowMs);
    }
  }

  all(): ReadonlySet<MemberId> {
    const { directory, clock, graceMs } = this.options;
    const lost = new Set<MemberId>();
    for (const [member, seenMs] of this.seenMs) {
      if (directory.nodes.get(member)?.state === 'active' && clock.monotonicMs() - seenMs >= graceMs)
        lost.add(member);
    }
    return lost;
  }
}
