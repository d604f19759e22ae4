import {
  EntryKind,
  type ChangeBatch,
  type CommandOutcome,
  type CommitSeq,
  type LogEntry,
  type LogIndex,
  type SnapshotCommand,
  type Term,
} from '#contracts';
import type { ConfState, SnapshotMetadata } from '#raft';
import {
  ApplyBatch,
  RowCache,
  readApplied,
  readTenancies,
  type Digest,
  type StateBug,
  type StateReader,
  type Tenancy,
  type WriteSet,
} from '#state-machine';
import type { StateStore } from './ports';
import { CONF_STATE_KEY, decodeConfState, encodeConfState } from './replica-rows';

/** Of a member that nobody has told anything yet: it cannot campaign, and waits for a leader. */
const NO_CONFIGURATION: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export interface AppliedStateOptions {
  readonly digest: Digest;
  readonly stateBug?: StateBug;
  readonly rowCacheBytes: number;
  /** What namespaces are to the group from now on. */
  readonly onTenancies: (tenancies: ReadonlyMap<string, Tenancy>) => void;
  /** Lets a configuration take force in the core, and gives what it then is. */
  readonly applyConfChange: (data: Uint8Array, index: LogIndex) => ConfState;
  /** The state stands right after the entry that names it, and goes on when this returns. */
  readonly onSnapshot: (command: SnapshotCommand) => void;
}

/** Follows what is written to a replica's state. */
export interface StateFollower {
  wrote(writes: WriteSet): void;
  /** A snapshot stands in the state's place: what was written from here on is not all that has changed. */
  lost(): void;
}

/** What a run of entries came to. */
export interface AppliedRun {
  /** One for each entry, in order; `undefined` where nobody can be waiting for one. */
  readonly outcomes: readonly (CommandOutcome | undefined)[];
  readonly changes: readonly ChangeBatch[];
}

/**
 * What a replica has applied: its state, where that stands in the log and in the history, and the configuration
 * that was in force there. They change together, in one write.
 */
export class AppliedState {
  private current: StateStore;
  private cache: RowCache;
  private at: LogIndex;
  private atTerm: Term;
  private seq: CommitSeq;
  private conf: ConfState;
  private readonly followers = new Set<StateFollower>();

  constructor(
    store: StateStore,
    private readonly options: AppliedStateOptions,
  ) {
    const { appliedIndex, appliedTerm, commitSeq } = readApplied(store);
    this.current = store;
    this.cache = new RowCache(store, options.rowCacheBytes);
    this.at = appliedIndex;
    this.atTerm = appliedTerm;
    this.seq = commitSeq;
    this.conf = configurationOf(store);
  }

  /** The store that counts; another one after a snapshot was installed, so it is not kept by callers. */
  get store(): StateStore {
    return this.current;
  }

  /** The same rows through a cache of those that are read most. */
  get reader(): StateReader {
    return this.cache;
  }

  get index(): LogIndex {
    return this.at;
  }

  get term(): Term {
    return this.atTerm;
  }

  get commitSeq(): CommitSeq {
    return this.seq;
  }

  get configuration(): ConfState {
    return this.conf;
  }

  /** Calls `follower` from now on; the returned function ends that. */
  follow(follower: StateFollower): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  /** A snapshot stands where the state stands: it is streamed from a scan opened at the moment of sending. */
  snapshot(): SnapshotMetadata | undefined {
    if (this.at === 0) return undefined;
    return { index: this.at, term: this.atTerm, confState: this.conf };
  }

  /** Applies a run of committed entries, in order, as one write. Throws on a gap, and on what it cannot read. */
  apply(entries: readonly LogEntry[]): AppliedRun {
    let batch = this.newBatch();
    const outcomes: (CommandOutcome | undefined)[] = [];
    const changes: ChangeBatch[] = [];
    let confRow: Uint8Array | undefined;
    let snapshot: SnapshotCommand | undefined;
    for (const entry of entries) {
      if (entry.index <= this.at) {
        // The core came to know of it as an entry while a snapshot that holds it was installed.
        if (entry.kind === EntryKind.confChange) this.options.applyConfChange(entry.data, this.at);
        outcomes.push(undefined);
        continue;
      }
      if (entry.index !== this.at + 1) throw new Error(`entry ${entry.index} follows applied ${this.at}`);
      if (entry.kind === EntryKind.confChange) {
        this.conf = this.options.applyConfChange(entry.data, entry.index);
        confRow = encodeConfState(this.conf);
      }
      if (entry.kind === EntryKind.confChange || entry.data.length === 0) {
        batch.skip(entry.index, entry.term);
        outcomes.push(undefined);
      } else {
        const applied = batch.apply(entry.index, entry.term, entry.data);
        outcomes.push(applied.outcome);
        for (const change of applied.changes) changes.push(change);
        snapshot = applied.snapshot;
      }
      this.at = entry.index;
      this.atTerm = entry.term;
      if (snapshot === undefined) continue;
      this.write(batch, confRow);
      this.options.onSnapshot(snapshot);
      batch = this.newBatch();
      confRow = undefined;
      snapshot = undefined;
    }
    this.write(batch, confRow);
    return { outcomes, changes };
  }

  private newBatch(): ApplyBatch {
    const { digest, stateBug } = this.options;
    return new ApplyBatch(this.cache, digest, stateBug);
  }

  /** Puts an installed snapshot in the place of the state and gives the one before, to be closed. Never goes back. */
  replace(next: StateStore): StateStore {
    const before = this.current;
    const { appliedIndex, appliedTerm, commitSeq } = readApplied(next);
    if (appliedIndex <= this.at) {
      throw new Error(`a snapshot at ${appliedIndex} cannot replace a state at ${this.at}`);
    }
    this.current = next;
    this.cache = new RowCache(next, this.options.rowCacheBytes);
    this.at = appliedIndex;
    this.atTerm = appliedTerm;
    this.seq = commitSeq;
    this.conf = configurationOf(next);
    for (const follower of this.followers) follower.lost();
    this.followers.clear();
    this.options.onTenancies(readTenancies(next));
    return before;
  }

  /** Puts an equal state in the place of this one. */
  exchange(equal: StateStore): void {
    const { appliedIndex } = readApplied(equal);
    if (appliedIndex !== this.at) throw new Error(`a state at ${appliedIndex} is not the one at ${this.at}`);
    this.current = equal;
    this.cache = new RowCache(equal, this.options.rowCacheBytes);
  }

  private write(batch: ApplyBatch, confRow: Uint8Array | undefined): void {
    const writes = batch.finish();
    const all =
      confRow === undefined
        ? writes
        : { ...writes, puts: [...writes.puts, [CONF_STATE_KEY, confRow] as const] };
    this.current.write(all);
    this.cache.wrote(all);
    for (const follower of this.followers) follower.wrote(all);
    this.seq = batch.commitSeq;
    if (batch.tenanciesChanged) this.options.onTenancies(readTenancies(this.current));
  }
}

function configurationOf(store: StateStore): ConfState {
  const row = store.get(CONF_STATE_KEY);
  return row === undefined ? NO_CONFIGURATION : decodeConfState(row);
}
