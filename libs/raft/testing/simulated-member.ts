import { EntryKind, type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import { RawNode } from '../src/raw-node';
import type { ConfState, Message, RaftConfig, Ready, SnapshotMetadata } from '../src/types';
import { MemoryStorage } from './memory-storage';

interface Held {
  readonly mark: number;
  readonly messages: readonly Message[];
  readonly snapshot: SnapshotMetadata | undefined;
}

/**
 * One member with the host's part around it: a log that is synced when told, and a state machine that is only
 * an applied index. After a crash the state may be any earlier prefix that the log can go on from.
 */
export class SimulatedMember {
  readonly storage: MemoryStorage;
  node: RawNode;
  applied: LogIndex;
  private toApply: LogEntry[] = [];
  private held: Held[] = [];
  /** Every configuration this member's state went through, by the index from which it holds. */
  private configurations: { readonly index: LogIndex; readonly confState: ConfState }[];

  constructor(
    readonly config: RaftConfig,
    floor: { readonly index: LogIndex; readonly term: Term },
    confState: ConfState,
  ) {
    const hardState = { term: floor.term, vote: 0 as MemberId, commit: floor.index };
    this.storage = new MemoryStorage({ hardState, floor, floorConfState: confState });
    this.applied = floor.index;
    this.configurations = [{ index: floor.index, confState }];
    this.node = new RawNode(config, this.storage, { hardState, confState, applied: floor.index });
  }

  get id(): MemberId {
    return this.config.id;
  }

  get confState(): ConfState {
    return this.configurationAt(this.applied);
  }

  get hasWriteInFlight(): boolean {
    return this.held.length > 0;
  }

  get hasToApply(): boolean {
    return this.toApply.length > 0;
  }

  private configurationAt(index: LogIndex): ConfState {
    return (this.configurations.findLast((known) => known.index <= index) ?? { confState: EMPTY }).confState;
  }

  /** Takes a ready over. Answers it, for the messages and for the checks. */
  takeReady(): Ready {
    const ready = this.node.ready();
    this.storage.write(ready);
    if (ready.appendMark > 0)
      this.held.push({
        mark: ready.appendMark,
        messages: ready.messagesAfterDurable,
        snapshot: ready.snapshot,
      });
    this.toApply.push(...ready.committedEntries);
    return ready;
  }

  /** The oldest write is synced. Answers what may leave with it. */
  sync(): readonly Message[] {
    const mark = this.storage.syncOne();
    const held = this.held.shift();
    if (held?.mark !== mark) throw new Error(`mark ${mark} was synced, ${held?.mark} was next`);
    if (held.snapshot !== undefined) {
      // Whatever was handed out before lies at or below the snapshot: it is in the state already.
      this.toApply = [];
      this.applied = held.snapshot.index;
      this.configurations = [{ index: held.snapshot.index, confState: held.snapshot.confState }];
    }
    this.node.appendDone(mark);
    return held.messages;
  }

  /** Applies the next entry of what was handed out. */
  applyOne(): void {
    const entry = this.toApply.shift();
    if (entry === undefined) return;
    this.applied = entry.index;
    if (entry.kind === EntryKind.confChange) {
      const confState = this.node.applyConfChange(entry.data);
      this.configurations.push({ index: entry.index, confState });
    }
    this.storage.available = { index: entry.index, term: entry.term, confState: this.confState };
    this.node.applied(entry.index);
  }

  compact(to: LogIndex): void {
    if (to > this.applied || to < this.storage.firstIndex() || this.hasWriteInFlight) return;
    this.storage.compact(to, this.configurationAt(to));
  }

  /** Stops without warning and starts again with what the disk and an earlier state give. */
  crash(survivingWrites: number, appliedLost: number): void {
    const survivors = this.held.slice(0, survivingWrites);
    this.storage.crash(survivingWrites);
    this.held = [];
    this.toApply = [];
    for (const { snapshot } of survivors)
      if (snapshot !== undefined) {
        this.applied = snapshot.index;
        this.configurations = [{ index: snapshot.index, confState: snapshot.confState }];
      }
    const floor = this.storage.firstIndex() - 1;
    this.applied = Math.max(floor, this.applied - appliedLost) as LogIndex;
    this.configurations = this.configurations.filter((known) => known.index <= this.applied);
    this.storage.available = undefined;
    const term = this.storage.term(this.applied);
    if (term !== undefined && this.applied > 0)
      this.storage.available = { index: this.applied, term, confState: this.confState };
    this.node = new RawNode(this.config, this.storage, {
      hardState: this.storage.image.hardState,
      confState: this.confState,
      applied: this.applied,
    });
  }
}

export const EMPTY: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
