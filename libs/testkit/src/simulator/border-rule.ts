import { META_GROUP, type GroupId, type MemberId } from '#contracts';
import { DEFAULT_GROUP, PeerKind, readRaftFrame, type LogWrite } from '#replication';
import { SimulationFailure } from './failure';
import type { SimHost } from './sim-host';

const FIRST_KEY = new Uint8Array([0]);
const AFTER_LAST_KEY = new Uint8Array([0xff]);

/**
 * What pins promise: nothing of a pinned group is ever sent to a node outside of its regions, or told to a log there;
 * and bytes that may be in some regions alone are not in what passes to or from a node of another one, whatever kind
 * of message that is.
 */
export class BorderRule {
  /** Of groups, as the documents have them: they never change; `undefined` for any. */
  private readonly regions = new Map<GroupId, readonly string[] | undefined>();
  private readonly marks = new Map<string, { readonly bytes: Buffer; readonly regions: readonly string[] }>();

  constructor(private readonly hosts: ReadonlyMap<MemberId, SimHost>) {}

  /** From now on these bytes may be in these regions alone. */
  keepInside(mark: string, regions: readonly string[]): void {
    this.marks.set(mark, { bytes: Buffer.from(mark), regions });
  }

  groups(): readonly GroupId[] {
    return [...new Set([META_GROUP, DEFAULT_GROUP, ...this.regions.keys()])];
  }

  /** Something passes between two nodes: a message, a request, or its answer. */
  onBytes(from: MemberId, to: MemberId, body: Uint8Array, kind?: number): void {
    if (kind === PeerKind.raft) {
      for (const { group } of readRaftFrame(body)) {
        for (const member of [from, to]) {
          if (!this.mayHold(group, member))
            fail(`node ${from} sends a message of the pinned group ${group} to node ${to}`);
        }
      }
    }
    for (const [mark, { bytes, regions }] of this.marks) {
      const isInside = [from, to].every((member) => regions.includes(this.regionOf(member)));
      if (!isInside && Buffer.from(body.buffer, body.byteOffset, body.length).includes(bytes))
        fail(`${mark} passes from node ${from} to node ${to}, and may be in ${regions.join(' ')} alone`);
    }
  }

  onAppend({ member }: SimHost, writes: readonly LogWrite[]): void {
    for (const { group, entries } of writes) {
      if (entries.length > 0 && !this.mayHold(group, member))
        fail(`the log of node ${member} is told an entry of the pinned group ${group}`);
    }
  }

  /** After any event on a node. */
  afterEvent(host: SimHost): void {
    for (const { group, regions } of host.node?.directory.groups.values() ?? []) {
      if (!this.regions.has(group)) this.regions.set(group, regions);
    }
    for (const { group, applied } of host.statuses()) {
      if (applied > 0 && !this.mayHold(group, host.member))
        fail(`node ${host.member} holds a state of the pinned group ${group}`);
    }
  }

  /** Looks through all that a machine has on its disk, and in the states that it has open. */
  search(host: SimHost, mark: string): string | undefined {
    const bytes = Buffer.from(mark);
    const file = host.disk.files().find((path) => Buffer.from(host.disk.contents(path)).includes(bytes));
    if (file !== undefined) return file;
    for (const [group, store] of host.openStores) {
      for (const [key, value] of store.scan({ gte: FIRST_KEY, lt: AFTER_LAST_KEY })) {
        if (Buffer.from(key).includes(bytes) || Buffer.from(value).includes(bytes))
          return `a row of group ${group}`;
      }
    }
    return undefined;
  }

  /** Nothing of what is kept inside some regions is on a machine of another one. */
  checkDisks(): void {
    for (const [mark, { regions }] of this.marks) this.checkOutside(mark, regions, [...this.hosts.values()]);
  }

  /** Of `hosts`, those that still run. */
  checkOutside(mark: string, regions: readonly string[], hosts: readonly SimHost[]): void {
    for (const host of hosts) {
      if (regions.includes(host.region) || host.quarantined !== undefined) continue;
      const where = this.search(host, mark);
      if (where !== undefined)
        fail(
          `${mark} is on node ${host.member} of ${host.region}, in ${where}; it lives in ${regions.join(' ')}`,
        );
    }
  }

  private mayHold(group: GroupId, member: MemberId): boolean {
    return this.regions.get(group)?.includes(this.regionOf(member)) ?? true;
  }

  private regionOf(member: MemberId): string {
    return this.hosts.get(member)?.region ?? '';
  }
}

function fail(what: string): never {
  throw new SimulationFailure(what);
}
