import type { GroupId } from '#contracts';
import { DEFAULT_GROUP } from '#replication';
import type { Client } from './client';
import type { SeededStream } from './random';
import type { Scheduler } from './scheduler';
import type { SimHost } from './sim-host';

const WITHIN_MS = 2;

/**
 * Reads at a leader that was just elected, by clients that have nothing else to do: before it has committed in its
 * own term it must not answer for what its predecessor did, and that moment is short. Half of the runs have them.
 */
export class EagerReads {
  private readonly active: boolean;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededStream,
    private readonly clients: readonly Client[],
  ) {
    this.active = random.chance(0.5);
  }

  elected(host: SimHost, group: GroupId): void {
    const { scheduler, random } = this;
    if (!this.active || group !== DEFAULT_GROUP) return;
    for (const client of this.clients) {
      if (!random.chance(0.5)) continue;
      const what = `a read at the new leader ${host.member}`;
      scheduler.after(random.between(0, WITHIN_MS), what, () => client.readNow(host));
    }
  }
}
