import type { GroupId } from '#contracts';
import type { LogStore, LogWrite } from '#replication';

/** One group's log by the terms of its entries: `terms[index]`. */
export interface GroupImage {
  floorIndex: number;
  terms: number[];
  hardState: { term: number; vote: number; commit: number };
}

export const lastIndexOf = (image: GroupImage): number => image.terms.length - 1;

function emptyImage(): GroupImage {
  return { floorIndex: 0, terms: [0], hardState: { term: 0, vote: 0, commit: 0 } };
}

function applyWrite(image: GroupImage, { reset, hardState, entries }: LogWrite): void {
  if (reset !== undefined) {
    image.floorIndex = reset.index;
    image.terms.length = 0;
    image.terms[reset.index] = reset.term;
  }
  if (hardState !== undefined) {
    const { term, vote, commit } = hardState;
    image.hardState = { term, vote, commit };
  }
  const first = entries[0];
  if (first === undefined) return;
  image.terms.length = first.index;
  for (const entry of entries) image.terms.push(entry.term);
}

/**
 * What one node's log was told and what it has said is durable: the same writes, taken twice, the second time when
 * their `onDurable` runs. So the log's own word is compared with nothing but its own later word.
 */
export class LogImage {
  private readonly handedOver = new Map<GroupId, GroupImage>();
  private readonly synced = new Map<GroupId, GroupImage>();
  private pending: (readonly LogWrite[])[] = [];

  /** What the log was told, durable or not. */
  view(group: GroupId): GroupImage {
    return imageIn(this.handedOver, group);
  }

  durable(group: GroupId): GroupImage {
    return imageIn(this.synced, group);
  }

  append(writes: readonly LogWrite[]): void {
    for (const write of writes) applyWrite(this.view(write.group), write);
    this.pending.push(writes);
  }

  /** Answers the writes that are durable now. */
  oldestIsDurable(): readonly LogWrite[] {
    const writes = this.pending.shift();
    if (writes === undefined) throw new Error('the log says more is durable than it was told');
    for (const write of writes) applyWrite(this.durable(write.group), write);
    return writes;
  }

  /** The group left the node. A crash may bring it back, but nobody is owed anything of it. */
  forget(group: GroupId): void {
    this.handedOver.delete(group);
    this.synced.delete(group);
    this.pending = this.pending.map((writes) => writes.filter((write) => write.group !== group));
  }

  /**
   * Takes over what a restarted log has recovered, and names what of it contradicts what it had said before. What
   * was not durable yet may be there or not, so a tail that it would have replaced may be gone.
   */
  recover(log: LogStore): string[] {
    const faults: string[] = [];
    const groups = new Set([...this.synced.keys(), ...log.groups()]);
    for (const group of groups) {
      const before = this.durable(group);
      const now = recoveredImage(log, group);
      const replacedFrom = this.firstReplaced(group);
      const owed = Math.min(lastIndexOf(before), replacedFrom - 1);
      for (let index = now.floorIndex + 1; index <= owed; index++) {
        if (now.terms[index] === before.terms[index]) continue;
        faults.push(
          `group ${group} had ${before.terms[index]}/${index} synced and recovered ${String(now.terms[index])}`,
        );
        break;
      }
      const { term, vote } = before.hardState;
      if (
        now.hardState.term < term ||
        (now.hardState.term === term && vote !== 0 && now.hardState.vote !== vote)
      ) {
        faults.push(
          `group ${group} had term ${term}, vote ${vote} synced and recovered ${now.hardState.term}, ${now.hardState.vote}`,
        );
      }
      this.synced.set(group, now);
      this.handedOver.set(group, copyOf(now));
    }
    this.pending = [];
    return faults;
  }

  private firstReplaced(group: GroupId): number {
    let first = Infinity;
    for (const write of this.pending.flat()) {
      if (write.group !== group) continue;
      if (write.reset !== undefined) return 0;
      first = Math.min(first, write.entries[0]?.index ?? Infinity);
    }
    return first;
  }
}

function imageIn(images: Map<GroupId, GroupImage>, group: GroupId): GroupImage {
  let image = images.get(group);
  if (image === undefined) {
    image = emptyImage();
    images.set(group, image);
  }
  return image;
}

function recoveredImage(log: LogStore, group: GroupId): GroupImage {
  const state = log.state(group);
  const image = emptyImage();
  if (state === undefined) return image;
  const { term, vote, commit } = state.hardState;
  image.hardState = { term, vote, commit };
  image.floorIndex = state.floorIndex;
  image.terms.length = 0;
  for (let index: number = state.floorIndex; index <= state.lastIndex; index++) {
    image.terms[index] = log.term(group, index as typeof state.lastIndex) ?? -1;
  }
  return image;
}

function copyOf({ floorIndex, terms, hardState }: GroupImage): GroupImage {
  return { floorIndex, terms: terms.slice(), hardState };
}
