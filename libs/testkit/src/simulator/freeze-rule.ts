import type { GroupId } from '#contracts';
import { readNamespace, readTenancies } from '#state-machine';
import { SimulationFailure } from './failure';
import type { SimHost } from './sim-host';

/**
 * What a move rests on: from its freeze on nothing changes in a namespace where it is, by whatever command. Every
 * replica must show the same, however its log was split into writes to the state.
 */
export class FreezeRule {
  /** How a namespace stood when it was first seen frozen at a generation. */
  private readonly frozen = new Map<string, string>();

  /** After any event on a node that has applied something. */
  afterEvent(host: SimHost): void {
    for (const [group, store] of host.openStores) {
      for (const [ns, { state, generation }] of readTenancies(store)) {
        if (state !== 'frozen') continue;
        const namespace = readNamespace(store, ns);
        const { commitSeq, objects, changes, compactedThrough } = namespace ?? {};
        this.compare(
          { host, group, ns, generation },
          `${commitSeq} ${objects} ${changes} ${compactedThrough}`,
        );
      }
    }
  }

  private compare(where: Where, now: string): void {
    const { host, group, ns, generation } = where;
    const key = `${group} ${generation} ${ns}`;
    const before = this.frozen.get(key);
    if (before === undefined) this.frozen.set(key, now);
    else if (before !== now)
      throw new SimulationFailure(
        `${ns} changes on node ${host.member} while group ${group} has it frozen: ${before} was its position, objects, changes and compacted history, now ${now}`,
      );
  }
}

interface Where {
  readonly host: SimHost;
  readonly group: GroupId;
  readonly ns: string;
  readonly generation: number;
}
