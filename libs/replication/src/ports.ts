import type { GroupId, HardState, LogEntry, LogIndex, MemberId, NodeName, Term } from '#contracts';
import type { StateReader, WriteSet } from '#state-machine';

/** What one group wants made durable: applied in the order floor, hard state, entries. */
export interface LogWrite {
  readonly group: GroupId;
  /**
   * A snapshot was installed up to here: everything the log held of this group goes, and it continues after
   * `index`. To drop a prefix only, see {@link LogStore.compact}.
   */
  readonly reset?: { readonly index: LogIndex; readonly term: Term };
  readonly hardState?: HardState;
  /** Consecutive entries. The first may lie at or below `lastIndex`: everything from it on is replaced. */
  readonly entries: readonly LogEntry[];
}

/** What the log remembers of a group. */
export interface LogGroupState {
  readonly hardState: HardState;
  /** The floor: index and term of the last entry that was compacted away (0, 0 for a whole log). */
  readonly floorIndex: LogIndex;
  readonly floorTerm: Term;
  readonly lastIndex: LogIndex;
}

/**
 * The node's one append-only log: the Raft log of all its groups and the only write-ahead log.
 *
 * Ordering: writes become durable in the order of their calls, across groups. Durability: `onDurable` runs, on
 * the event loop and in order, once everything up to that write is synced. Failure: a failed write or sync ends
 * the process through `onFatal` given at opening, and no later `onDurable` ever runs. Ownership: entry data is
 * kept by reference and must not be written to.
 */
export interface LogStore {
  /** Groups with any record, as recovered or written since. */
  groups(): readonly GroupId[];
  state(group: GroupId): LogGroupState | undefined;
  /** Term at `index`, of the floor as well; `undefined` when compacted or beyond the end. */
  term(group: GroupId, index: LogIndex): Term | undefined;
  /** Entries `low` (inclusive) to `high` (exclusive): at least one, then as many as fit `maxBytes`. Throws if compacted. */
  entries(group: GroupId, low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[];
  /** Takes several groups' writes as one append. Visible to reads at once, durable when `onDurable` runs. */
  append(writes: readonly LogWrite[], onDurable: () => void): void;
  /** The group no longer needs entries at or below `index`; whole segments may go once no group needs them. */
  compact(group: GroupId, index: LogIndex): void;
  /** Forgets a group that left this node: its records are garbage from here on. */
  forget(group: GroupId): void;
  /** Whether writes that grow the data may be taken: `low` from the low-water mark on. */
  space(): 'ok' | 'low';
  stats(): LogStats;
  /** The files of the log, oldest first. */
  segments(): readonly LogSegment[];
  /**
   * Gives back what {@link compact} and {@link forget} have freed: moves on to a new segment where that lets the
   * newest one go, and resolves, with the segments that went, once nothing more can.
   */
  reclaim(): Promise<readonly LogSegment[]>;
  /** Whether a file may still hold records of a group that was forgotten, also before a restart. */
  readonly holdsForgotten: boolean;
  /** Whether what a crash has torn is kept aside for whoever wants to look at it: bytes of any group. */
  readonly holdsAside: boolean;
  /**
   * Removes every file that holds what was not needed any more at the call, also what
   * is kept aside, and writes what is needed of it again.
   * Resolves with whether all are gone: on a disk that is nearly full some may stay.
   */
  purge(): Promise<boolean>;
  /** Syncs what was appended, stops, releases the files. */
  close(): Promise<void>;
}

export interface LogStats {
  readonly activeSegments: number;
  readonly bytes: number;
}

/** A file of the log. */
export interface LogSegment {
  readonly name: string;
  /** Number of its first record in the log. */
  readonly firstSequence: number;
  /** Of the file. */
  readonly bytes: number;
  /** Of its records. */
  readonly usedBytes: number;
  /** Of its records that some group needs. */
  readonly neededBytes: number;
}

/** One group replica's key-value state, in a folder of its own. */
export interface StateStore extends StateReader {
  /**
   * Takes the writes of one applied batch, whole or not at all, visible to reads on return. Not synced: after a
   * crash the state is some earlier prefix, and the log replays the rest.
   */
  write(writes: WriteSet): void;
  /** Resolves once everything written before the call survives a crash: what the log may then be trimmed to. */
  flush(): Promise<void>;
  /** Bytes on disk, roughly. */
  bytes(): number;
  /** Scans and pinned rows that are open: they end with an error when the store is closed. */
  readonly openReads: number;
  close(): Promise<void>;
}

/** A group's next state, built beside the one that counts, as by a snapshot that is installed. */
export interface NextGeneration {
  readonly store: StateStore;
  /**
   * Makes what was written to `store` durable and lets it count from now on, also after a crash. Rejects with
   * `UncertainInstall` when it may count or not after a crash: the process must end then, and {@link abandon} nothing.
   */
  install(): Promise<void>;
  /** After {@link install}, once the store of the generation before is closed: removes that one's data. */
  cleanUp(): Promise<void>;
  /** Instead of {@link install}: closes and removes it, and the generation before goes on to count. */
  abandon(): Promise<void>;
}

/** Opens and removes the state folders of group replicas. */
export interface StateStores {
  open(group: GroupId): Promise<StateStore>;
  /** Begins the generation after the one that counts. One at a time for each group. */
  begin(group: GroupId): Promise<NextGeneration>;
  /** Groups with data on the disk. */
  groups(): Promise<readonly GroupId[]>;
  /** Removes a closed replica's data from the disk. */
  destroy(group: GroupId): Promise<void>;
}

/** Milliseconds: `wallMs` since 1970 and may jump, `monotonicMs` never goes back. */
export interface Clock {
  wallMs(): number;
  monotonicMs(): number;
  /** Runs `task` once after about `delayMs`; the returned function cancels. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` once, after the input that has already arrived was handled. */
  soon(task: () => void): void;
}

export interface Random {
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number;
}

/** How to reach a node, as the cluster knows it. */
export interface PeerAddress {
  readonly member: MemberId;
  readonly name: NodeName;
  readonly region: string;
  readonly host: string;
  readonly port: number;
}

/** `messages` carries Raft and small requests; `bulk` is a connection of its own, so that it never delays them. */
export type Channel = 'messages' | 'bulk';

/**
 * The links between the nodes of one cluster.
 *
 * Messages: in order per peer and channel while a connection lasts; may be lost (a full queue, a broken link),
 * never altered, never from anyone but the proven peer. Requests: answered once, or rejected with a `StateError`
 * (`timeout`: the outcome is unknown; `no_leader`: it never left). Ownership: bytes handed in are not written to
 * afterwards; bytes handed out are the receiver's.
 */
export interface Network {
  /** Queues one frame made of `parts`; `false` when it was dropped at once. Never blocks, never throws. */
  send(to: MemberId, kind: number, parts: readonly Uint8Array[], channel?: Channel): boolean;
  request(
    to: MemberId,
    kind: number,
    body: Uint8Array,
    options: { readonly timeoutMs: number; readonly channel?: Channel },
  ): Promise<Uint8Array>;
  /** Replaces the set of peers: missing ones are disconnected, new ones connected to, with jittered retries. */
  setPeers(peers: readonly PeerAddress[]): void;
  /** Set once, before the first peer. */
  setHandlers(handlers: NetworkHandlers): void;
  connected(to: MemberId): boolean;
  close(): Promise<void>;
}

export interface NetworkHandlers {
  onMessage(from: MemberId, kind: number, body: Uint8Array): void;
  /** The answer's bytes; a rejected `StateError` travels to the caller with its code. */
  onRequest(from: MemberId, kind: number, body: Uint8Array): Promise<Uint8Array>;
  onPeer(member: MemberId, connected: boolean): void;
}
