import { Batch, ChunkPool } from './batch';
import type { Place } from './group-log';
import {
  checksum,
  MAX_PAYLOAD_BYTES,
  paddingBytes,
  PREAMBLE_BYTES,
  RECORD_HEADER_BYTES,
  recordBytes,
  RecordKind,
  writeChecksum,
  writeHeader,
  writePreamble,
} from './record';
import type { SegmentTable } from './segment';

/**
 * Payloads up to here are copied behind their headers; longer ones are written from where they are. Measured
 * (README): below about 8 KiB one memory copy is cheaper than one more element of a `writev`.
 */
const COPIED_PAYLOAD_BYTES = 8 * 1024;
/** A batch that has grown this long is closed, so that a sync never waits for more than this. */
const BATCH_BYTES = 4 * 1024 * 1024;

const NO_PAYLOAD = new Uint8Array(0);
const ZEROS = new Uint8Array(RECORD_HEADER_BYTES);

/** Where the next record goes: found by recovery, or the very start. */
export interface TailPosition {
  readonly nextSequence: number;
  /** Checksum of the last record, 0 before the first. */
  readonly previous: number;
  readonly trimmedBelow: number;
}

/** The fields of a record that its writer chooses; the tail knows the others. */
export interface RecordFields {
  readonly kind: RecordKind;
  readonly group: number;
  readonly term: number;
  readonly index: number;
  readonly entryKind?: number;
  readonly payload?: Uint8Array;
}

/**
 * Encodes records at the end of the log, in memory: places, sequences and the checksum chain are settled here,
 * in the order of the calls, before anything is written.
 */
export class LogTail {
  nextSequence: number;
  /** Sequence below which segments may be missing at the next start. */
  trimmedBelow: number;
  private previous: number;
  private readonly pool = new ChunkPool();
  private readonly batches: Batch[] = [];
  private gathering: Batch | undefined;
  private movesOn = false;

  constructor(
    private readonly segments: SegmentTable,
    private readonly segmentBytes: number,
    position: TailPosition,
  ) {
    this.nextSequence = position.nextSequence;
    this.previous = position.previous;
    this.trimmedBelow = position.trimmedBelow;
  }

  put(fields: RecordFields): Place {
    const payload = fields.payload ?? NO_PAYLOAD;
    if (payload.byteLength > MAX_PAYLOAD_BYTES)
      throw new RangeError('an entry is longer than the format allows');
    const bytes = recordBytes(payload.byteLength);
    const batch = this.batchFor(bytes);
    const segment = batch.segment;
    const place: Place = { segmentId: segment.id, offset: segment.usedBytes, bytes };
    this.encode(batch, fields, payload);
    segment.usedBytes += bytes;
    return place;
  }

  /** The next record begins a new segment. */
  moveOn(): void {
    this.movesOn = true;
  }

  /** Runs `callback` once all records put so far are synced; false when they are already. */
  whenDurable(callback: () => void): boolean {
    const batch = this.gathering ?? this.batches.at(-1);
    if (batch === undefined) return false;
    batch.callbacks.push(callback);
    return true;
  }

  /** The oldest batch that is not done; records put from now on go to another one. */
  oldestBatch(): Batch | undefined {
    const batch = this.batches[0];
    if (batch === this.gathering) this.gathering = undefined;
    return batch;
  }

  /** The oldest batch is synced: its memory is free again. */
  batchDone(): void {
    const batch = this.batches.shift();
    if (batch !== undefined) this.pool.give(batch.chunks);
  }

  private batchFor(bytes: number): Batch {
    let segment = this.segments.newest();
    const headBytes = PREAMBLE_BYTES + RECORD_HEADER_BYTES;
    const full =
      segment !== undefined &&
      segment.usedBytes > headBytes &&
      (this.movesOn || segment.usedBytes + bytes > this.segmentBytes);
    this.movesOn = false;
    if (segment === undefined || full) segment = this.segments.add(this.nextSequence, undefined);
    let batch = this.gathering;
    if (batch === undefined || batch.segment !== segment || batch.bytes + bytes > BATCH_BYTES) {
      batch = new Batch(this.pool, segment, this.nextSequence);
      this.batches.push(batch);
      this.gathering = batch;
      if (segment.usedBytes === 0) {
        const at = batch.reserve(PREAMBLE_BYTES);
        writePreamble(batch.room().view, at);
        this.encode(
          batch,
          { kind: RecordKind.segmentHead, group: 0, term: 0, index: this.trimmedBelow },
          NO_PAYLOAD,
        );
        segment.usedBytes = headBytes;
      }
    }
    return batch;
  }

  private encode(batch: Batch, fields: RecordFields, payload: Uint8Array): void {
    const payloadBytes = payload.byteLength;
    const copied = payloadBytes <= COPIED_PAYLOAD_BYTES;
    const padding = paddingBytes(payloadBytes);
    const contiguousBytes = copied ? RECORD_HEADER_BYTES + payloadBytes + padding : RECORD_HEADER_BYTES;
    const at = batch.reserve(contiguousBytes);
    const { bytes, view } = batch.room();
    const sequence = this.nextSequence++;
    writeHeader(view, at, {
      payloadBytes,
      previous: this.previous,
      kind: fields.kind,
      entryKind: fields.entryKind ?? 0,
      group: fields.group,
      batchOffset: sequence - batch.firstSequence,
      sequence,
      term: fields.term,
      index: fields.index,
    });
    if (copied) {
      bytes.set(payload, at + RECORD_HEADER_BYTES);
      bytes.fill(0, at + contiguousBytes - padding, at + contiguousBytes);
    }
    let sum = checksum(bytes.subarray(at + 4, at + contiguousBytes));
    if (!copied) {
      batch.refer(payload);
      sum = checksum(payload, sum);
      if (padding > 0) {
        const zeros = ZEROS.subarray(0, padding);
        batch.refer(zeros);
        sum = checksum(zeros, sum);
      }
    }
    writeChecksum(view, at, sum);
    this.previous = sum;
  }
}
