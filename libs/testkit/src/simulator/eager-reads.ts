import type { GroupId } from '#contracts';
import { DEFAULT_GROUP } from '#replication';
import type { Client } from './client';
import type { SeededStream } from './random';
import type { Scheduler } from './scheduler';
import type { SimHost } from './sim-host';

const WITHIN_MS = 2;

/**
 * Reads by clients that are not waiting for anything, at moments that are short: at a leader that was just elected,
 * which must not answer for what its predecessor did before it has committed in its own term; and at one that goes on
 * after a pause, which may have a successor by now. Most runs have them.
 */
export class EagerReads {
  private readonly active: boolean;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededStream,
    private readonly clients: readonly Client[],
  ) {
    this.active = random.chance(0.8);
  }

  elected(host: SimHost, group: GroupId): void {
    if (group === DEFAULT_GROUP) this.readAt(host, `a read at the new leader ${host.member}`);
  }

  resumed(host: SimHost): void {
    const leads = host.statuses().some(({ group, role }) => group === DEFAULT_GROUP && role === 'leader');
    if (leads) this.readAt(host, `a read at the leader ${host.member} of before its pause`);
  }

  private readAt(host: SimHost, what: string): void {
    const { scheduler, random } = this;
    if (!this.active) return;
    for (const client of this.clients) {
      if (random.chance(0.7)) scheduler.after(random.between(0, WITHIN_MS), what, () => client.readNow(host));
    }
  }
}
