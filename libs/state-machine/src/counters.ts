import { ByteReader, ByteWriter } from '#codec';
import type { CommitSeq, LogIndex, Term } from '#contracts';
import { STATE_FORMAT_VERSION, UnknownStateFormat } from './format';
import { COUNTERS_KEY } from './keys';
import type { StateReader } from './state-reader';

/** How far a replica's state has come, and what its group counts. One row, written with every batch. */
export interface Counters {
  /** Index and term of the last entry applied; 0 and 0 in an empty state. */
  readonly appliedIndex: LogIndex;
  readonly appliedTerm: Term;
  /** The last position given out. */
  readonly commitSeq: CommitSeq;
  /** Time of the last command, in milliseconds since 1970; never goes back. */
  readonly lastTsMs: number;
  /** Number that the next new namespace gets. */
  readonly nextNamespace: number;
  /** No change is held from before this position: where compaction goes on. */
  readonly historyFrom: CommitSeq;
  /** No object expires before this time: where expiry goes on. */
  readonly expiryFromMs: number;
  /** History from before this position counts as gone whatever is held: set by a restore that skipped positions. */
  readonly historyFloor: CommitSeq;
}

const ROW_BYTES = 2 + 8 * 5 + 6 * 2 + 4;

const EMPTY: Counters = {
  appliedIndex: 0 as LogIndex,
  appliedTerm: 0 as Term,
  commitSeq: 0 as CommitSeq,
  lastTsMs: 0,
  nextNamespace: 1,
  historyFrom: 1 as CommitSeq,
  expiryFromMs: 0,
  historyFloor: 1 as CommitSeq,
};

/** Throws {@link UnknownStateFormat} for the state of a newer program. */
export function readApplied(reader: StateReader): Counters {
  const row = reader.get(COUNTERS_KEY);
  if (!row) return EMPTY;
  const bytes = new ByteReader(row);
  const version = bytes.u16();
  if (version !== STATE_FORMAT_VERSION) throw new UnknownStateFormat(version);
  const counters: Counters = {
    appliedIndex: bytes.u64() as LogIndex,
    appliedTerm: bytes.u64() as Term,
    commitSeq: bytes.u64() as CommitSeq,
    lastTsMs: bytes.u48(),
    nextNamespace: bytes.u32(),
    historyFrom: bytes.u64() as CommitSeq,
    expiryFromMs: bytes.u48(),
    historyFloor: bytes.u64() as CommitSeq,
  };
  bytes.expectEnd('the counters row');
  return counters;
}

export function encodeCounters(counters: Counters): Uint8Array {
  const writer = new ByteWriter(ROW_BYTES);
  writer.u16(STATE_FORMAT_VERSION);
  writer.u64(counters.appliedIndex);
  writer.u64(counters.appliedTerm);
  writer.u64(counters.commitSeq);
  writer.u48(counters.lastTsMs);
  writer.u32(counters.nextNamespace);
  writer.u64(counters.historyFrom);
  writer.u48(counters.expiryFromMs);
  writer.u64(counters.historyFloor);
  return writer.finish();
}
