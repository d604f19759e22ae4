import type { ChangeBatch, CommitSeq, GroupId } from '#contracts';
import type { Clock } from '../ports';
import type { BusTopic, WatchBus } from '../watch-bus';
import { decodeBusMessage, encodeBatchMessage, encodeNewestMessage, type BusMessage } from './bus-messages';

export interface BusFeedOptions {
  readonly bus: WatchBus;
  readonly clock: Clock;
  readonly digest: (bytes: Uint8Array) => string;
  readonly groupOf: (ns: string) => GroupId;
  /** Name of the placement that a group's namespaces are in; `undefined` while that is not known. */
  readonly placementOf: (group: GroupId) => string | undefined;
  readonly onMessage: (message: BusMessage) => void;
  readonly onWarning: (what: string, error: Error) => void;
}

/** How often, and how many times after a namespace's last change, its newest position is told again. */
const HEARTBEAT_MS = 500;
const HEARTBEATS = 3;
/** Topics kept in memory, and namespaces that heartbeats are sent of at a time. */
const TOPICS = 10_000;
const KEY_CHARACTERS = 32;

interface Beating {
  readonly group: GroupId;
  newest: CommitSeq;
  left: number;
}

/** This node's side of the bus: publishes what it leads, and listens to what its watchers want. */
export class BusFeed {
  private readonly topics = new Map<string, BusTopic>();
  private readonly beating = new Map<string, Beating>();
  private readonly subscribed = new Map<string, { readonly topic: BusTopic; readonly end: () => void }>();
  private cancelBeat: (() => void) | undefined;
  private stopped = false;

  constructor(private readonly options: BusFeedOptions) {}

  /**
   * Batches that this node's replica of the group has applied as its leader: each is encoded and published once. On
   * the path of every write.
   */
  publish(group: GroupId, batches: readonly ChangeBatch[]): void {
    const { bus, placementOf } = this.options;
    const placement = placementOf(group);
    if (placement === undefined || !bus.carries(placement)) return;
    for (const batch of batches) {
      const { ns, commitSeq } = batch;
      bus.publish(this.topicOf(ns, placement), encodeBatchMessage(group, batch));
      this.beat(group, ns, commitSeq);
    }
  }

  /** Whether the bus brings the changes of a watched namespace now. */
  carries(ns: string): boolean {
    const subscribed = this.subscribed.get(ns);
    return subscribed !== undefined && this.options.bus.carries(subscribed.topic.placement);
  }

  set(ns: string, watched: boolean): void {
    const before = this.subscribed.get(ns);
    const { groupOf, placementOf, bus } = this.options;
    const placement = watched && !this.stopped ? placementOf(groupOf(ns)) : undefined;
    if (before?.topic.placement === placement) return;
    before?.end();
    this.subscribed.delete(ns);
    if (placement === undefined) return;
    const topic = this.topicOf(ns, placement);
    this.subscribed.set(ns, { topic, end: bus.subscribe(topic, (bytes) => this.take(ns, bytes)) });
  }

  /** Namespaces move between placements: listens where they are now. */
  look(): void {
    for (const ns of this.subscribed.keys()) this.set(ns, true);
  }

  stop(): void {
    this.stopped = true;
    this.cancelBeat?.();
    for (const ns of [...this.subscribed.keys()]) this.set(ns, false);
  }

  private take(ns: string, bytes: Uint8Array): void {
    let message: BusMessage;
    try {
      message = decodeBusMessage(bytes);
    } catch (error) {
      this.options.onWarning('a message on the bus could not be read', error as Error);
      return;
    }
    const told = message.kind === 'batch' ? message.batch.ns : message.ns;
    // Two namespaces may share a key; and what the group of before still tells is found in the history.
    if (told === ns && message.group === this.options.groupOf(ns)) this.options.onMessage(message);
  }

  private topicOf(ns: string, placement: string): BusTopic {
    const known = this.topics.get(ns);
    if (known?.placement === placement) return known;
    if (this.topics.size >= TOPICS) this.topics.clear();
    const key = this.options.digest(new TextEncoder().encode(ns)).slice(0, KEY_CHARACTERS);
    const topic = { placement, key };
    this.topics.set(ns, topic);
    return topic;
  }

  /** The newest position is told a little later, and again: the loss of the last batch is noticed by that. */
  private beat(group: GroupId, ns: string, newest: CommitSeq): void {
    const beating = this.beating.get(ns);
    if (beating !== undefined && beating.group === group) {
      beating.newest = newest;
      beating.left = HEARTBEATS;
      return;
    }
    if (this.beating.size >= TOPICS) return;
    this.beating.set(ns, { group, newest, left: HEARTBEATS });
    this.cancelBeat ??= this.options.clock.after(HEARTBEAT_MS, this.beatAll);
  }

  private readonly beatAll = (): void => {
    const { bus, clock, placementOf } = this.options;
    this.cancelBeat = undefined;
    for (const [ns, beating] of this.beating) {
      const placement = placementOf(beating.group);
      if (placement !== undefined && bus.carries(placement)) {
        bus.publish(this.topicOf(ns, placement), encodeNewestMessage(beating.group, ns, beating.newest));
      }
      if (--beating.left === 0) this.beating.delete(ns);
    }
    if (this.beating.size > 0 && !this.stopped) this.cancelBeat = clock.after(HEARTBEAT_MS, this.beatAll);
  };
}
