import { StateError, type GroupId, type MemberId } from '#contracts';
import { decodeBody, encodeBody, type PartAnswer, type PartQuestion } from '../cluster-bodies';
import { PeerKind } from '../peers/peer-kinds';
import type { Clock, Network } from '../ports';
import type { Replica } from '../replica';
import type { SnapshotPart, SnapshotRecord } from './archive';
import type { NamedSnapshots, SnapshotObserver } from './named-snapshots';

export interface PartExchangeOptions {
  readonly member: MemberId;
  readonly network: Network;
  readonly clock: Clock;
  readonly snapshots: () => NamedSnapshots;
  readonly replica: (group: GroupId) => Replica | undefined;
  /** Nodes that hold a replica of a group, as far as this node knows. */
  readonly holders: (group: GroupId) => readonly MemberId[];
  readonly nameOf: (member: MemberId) => string;
  readonly observer: Pick<SnapshotObserver, 'mismatch'>;
}

/** A part that is still to be compared with another replica's. */
interface Comparison {
  readonly record: SnapshotRecord;
  readonly part: SnapshotPart;
  readonly peer: MemberId;
  readonly untilMs: number;
}

interface Difference {
  readonly group: GroupId;
  readonly peer: MemberId;
  readonly what: string;
}

const ASK_TIMEOUT_MS = 2_000;
const ASK_AGAIN_MS = 200;
/** A replica that was away this long takes part no more: it would be compared at the next snapshot. */
const COMPARE_FOR_MS = 900_000;

/**
 * What nodes tell each other of their parts of a snapshot. All replicas took it at the same entry, so their digests
 * are equal, or one of the states is wrong: every node compares its own with everybody else's.
 */
export class PartExchange {
  private comparisons: Comparison[] = [];
  /** Replicas that differed when they were compared last; one that is whole again, or gone, is none any more. */
  private found: Difference[] = [];
  private busy = false;

  constructor(private readonly options: PartExchangeOptions) {}

  /** Replicas that differed when they were compared last, for this node's readiness report. */
  get mismatches(): readonly string[] {
    return this.found.map(({ what }) => what);
  }

  /** What this node has of a snapshot, for a peer. */
  answer(body: Uint8Array): Uint8Array {
    const { snapshotId, group } = decodeBody<PartQuestion>(body, { snapshotId: 'string', group: 'number' });
    const part = this.options
      .snapshots()
      .record(snapshotId)
      ?.parts.find((one) => one.group === group);
    const answer: PartAnswer = { part: part ?? null };
    return encodeBody(answer);
  }

  /** Waits until a node that holds the group has its part. Rejects with `timeout`. */
  async fetch(snapshotId: string, group: GroupId, timeoutMs: number): Promise<SnapshotPart> {
    const { clock, holders } = this.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < deadlineMs) {
      for (const peer of holders(group)) {
        const part = await this.ask(peer, snapshotId, group);
        if (part !== undefined) return part;
      }
      await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
    }
    throw new StateError('timeout', `No node has its part of group ${group} yet; it may still come to be.`);
  }

  /** A snapshot is published here: its parts are to be compared. */
  compare(record: SnapshotRecord): void {
    const { replica, member, clock } = this.options;
    const untilMs = clock.monotonicMs() + COMPARE_FOR_MS;
    for (const part of record.parts) {
      const conf = replica(part.group)?.configuration;
      const members = new Set([...(conf?.voters ?? []), ...(conf?.learners ?? [])]);
      this.found = this.found.filter(({ group, peer }) => group !== part.group || members.has(peer));
      for (const peer of members) {
        if (peer !== member) this.comparisons.push({ record, part, peer, untilMs });
      }
    }
  }

  /** Asks whom it still has to ask; called once in a while. */
  async step(): Promise<void> {
    if (this.busy || this.comparisons.length === 0) return;
    this.busy = true;
    const now = this.comparisons.splice(0);
    try {
      const open = await Promise.all(now.map(async (one) => ((await this.isDone(one)) ? [] : [one])));
      this.comparisons.push(...open.flat());
    } finally {
      this.busy = false;
    }
  }

  private async isDone({ record, part, peer, untilMs }: Comparison): Promise<boolean> {
    const { clock, nameOf, observer } = this.options;
    const other = await this.ask(peer, record.snapshotId, part.group);
    if (other === undefined) return clock.monotonicMs() >= untilMs;
    this.found = this.found.filter((one) => one.group !== part.group || one.peer !== peer);
    if (other.digest === part.digest && other.index === part.index) return true;
    const what = `the state of group ${part.group} on ${nameOf(peer)} is not the one here, as of the snapshot ${record.snapshotId}`;
    this.found.push({ group: part.group, peer, what });
    observer.mismatch(what);
    return true;
  }

  private async ask(peer: MemberId, snapshotId: string, group: GroupId): Promise<SnapshotPart | undefined> {
    const question: PartQuestion = { snapshotId, group };
    try {
      const body = await this.options.network.request(peer, PeerKind.snapshotPart, encodeBody(question), {
        timeoutMs: ASK_TIMEOUT_MS,
      });
      return (JSON.parse(new TextDecoder().decode(body)) as PartAnswer).part ?? undefined;
    } catch {
      return undefined;
    }
  }
}
