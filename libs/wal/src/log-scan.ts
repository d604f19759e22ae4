import type { Disk, DiskAccess, DiskFile } from './disk';
import { LogCorruption, LogFormatUnsupported } from './errors';
import type { TailPosition } from './log-tail';
import {
  emptyHeader,
  FORMAT_VERSION,
  PREAMBLE_BYTES,
  readPreamble,
  RECORD_ALIGNMENT_BYTES,
  RECORD_HEADER_BYTES,
  recordBytes,
  RecordKind,
  type RecordHeader,
} from './record';
import { segmentSequence } from './segment';
import { SegmentReader } from './segment-reader';

export interface ScannedSegment {
  readonly name: string;
  readonly firstSequence: number;
  readonly file: DiskFile;
  readonly sizeBytes: number;
  /** Bytes of sound records from the start. */
  usedBytes: number;
  records: number;
}

/** Bytes at the end of the last segment that are no sound record and were never proven to be synced. */
export interface TornTail {
  readonly offset: number;
  readonly endOffset: number;
}

/** Sees every sound record, in order. The header and the payload are only valid during the call. */
export type RecordVisitor = (
  segment: ScannedSegment,
  offset: number,
  header: Readonly<RecordHeader>,
  payload: () => Uint8Array,
) => void;

/**
 * Reads a log's segments in order and checks every record against its own checksum, the checksum chain and the
 * sequence. Writes nothing.
 *
 * Damage is a torn tail when it is in the last segment and nothing proves that the damaged place had been
 * synced. Proof is a sound record of a later batch: a batch is written only after the one before it is synced,
 * and every record says where its batch began. Sound records of the same batch prove nothing, for the pages of
 * one unsynced write reach the disk in any order. All other damage is corruption and is thrown.
 */
export class LogScan {
  readonly segments: ScannedSegment[] = [];
  tornTail: TornTail | undefined;
  private nextSequence = 1;
  private previous = 0;
  private trimmedBelow = 1;
  private readonly header = emptyHeader();

  constructor(
    private readonly disk: Disk,
    private readonly folder: string,
    private readonly access: DiskAccess,
    private readonly visit: RecordVisitor,
  ) {}

  get position(): TailPosition {
    return { nextSequence: this.nextSequence, previous: this.previous, trimmedBelow: this.trimmedBelow };
  }

  /** Throws {@link LogCorruption} or {@link LogFormatUnsupported}; {@link segments} then tells how far it came. */
  run(): void {
    const names = this.disk
      .list(this.folder)
      .filter((name) => segmentSequence(name) !== undefined)
      .sort();
    for (const [position, name] of names.entries()) this.scanSegment(name, position === names.length - 1);
    const first = this.segments[0];
    if (first !== undefined && first.firstSequence > this.trimmedBelow) {
      throw new LogCorruption(
        first.name,
        0,
        `the segments from sequence ${this.trimmedBelow} on are missing`,
      );
    }
  }

  close(): void {
    for (const segment of this.segments) segment.file.close();
  }

  private scanSegment(name: string, isLast: boolean): void {
    const firstSequence = segmentSequence(name) as number;
    const before = this.segments.at(-1);
    if (before === undefined) this.nextSequence = firstSequence;
    else if (firstSequence !== this.nextSequence) {
      const reason = `its records end before sequence ${this.nextSequence}, but the next segment begins with ${firstSequence}`;
      throw new LogCorruption(before.name, before.usedBytes, reason);
    }
    const file = this.disk.open(`${this.folder}/${name}`, this.access);
    const reader = new SegmentReader(file);
    const segment: ScannedSegment = {
      name,
      firstSequence,
      file,
      sizeBytes: reader.sizeBytes,
      usedBytes: 0,
      records: 0,
    };
    this.segments.push(segment);
    const reason = this.scanRecords(segment, reader);
    const endOfData = reader.endOfData(segment.usedBytes);
    if (endOfData === segment.usedBytes) {
      if (isLast || segment.records > 0) return;
      throw new LogCorruption(name, 0, 'it is empty, but a later segment exists');
    }
    if (!isLast) throw new LogCorruption(name, segment.usedBytes, `${reason}, and a later segment exists`);
    this.findWitness(segment, reader, endOfData, reason);
    this.tornTail = { offset: segment.usedBytes, endOffset: endOfData };
  }

  /** Visits the sound records from the start; gives the reason why they end. */
  private scanRecords(segment: ScannedSegment, reader: SegmentReader): string {
    const preamble = reader.bytes(0, PREAMBLE_BYTES);
    const version = preamble === undefined ? undefined : readPreamble(preamble);
    if (version === undefined) return 'it does not begin like a segment';
    if (version > FORMAT_VERSION) throw new LogFormatUnsupported(segment.name, version, FORMAT_VERSION);
    const header = this.header;
    for (let offset = PREAMBLE_BYTES; ;) {
      if (!reader.record(offset, header)) return 'no record with a sound checksum';
      this.checkChain(segment, offset, header);
      if (header.kind === RecordKind.segmentHead || header.kind === RecordKind.trim) {
        this.trimmedBelow = header.index;
      }
      this.visit(segment, offset, header, () => reader.payload(offset, header));
      this.nextSequence++;
      this.previous = header.checksum;
      offset += recordBytes(header.payloadBytes);
      segment.usedBytes = offset;
      segment.records++;
    }
  }

  /** A record that is sound in itself and in the wrong place cannot come from a crash. */
  private checkChain(segment: ScannedSegment, offset: number, header: Readonly<RecordHeader>): void {
    const isHead = offset === PREAMBLE_BYTES;
    if (isHead !== (header.kind === RecordKind.segmentHead)) {
      throw new LogCorruption(segment.name, offset, 'a segment head and only that begins a segment');
    }
    if (header.sequence !== this.nextSequence) {
      const reason = `sequence ${header.sequence} stands where ${this.nextSequence} belongs`;
      throw new LogCorruption(segment.name, offset, reason);
    }
    const chainKnown = !isHead || this.segments.length > 1 || header.sequence === 1;
    if (chainKnown && header.previous !== this.previous) {
      throw new LogCorruption(segment.name, offset, 'the record does not follow from the one before it');
    }
  }

  private findWitness(
    segment: ScannedSegment,
    reader: SegmentReader,
    endOfData: number,
    reason: string,
  ): void {
    const header = emptyHeader();
    const lastSequence = this.nextSequence + Math.ceil((endOfData - segment.usedBytes) / RECORD_HEADER_BYTES);
    for (let offset = segment.usedBytes; offset < endOfData; offset += RECORD_ALIGNMENT_BYTES) {
      // The cheap conditions first: the checksum of every eighth byte's would-be record takes for ever.
      if (!reader.header(offset, header)) continue;
      if (header.sequence <= this.nextSequence || header.sequence > lastSequence) continue;
      if (header.sequence - header.batchOffset <= this.nextSequence || !reader.record(offset, header))
        continue;
      throw new LogCorruption(
        segment.name,
        segment.usedBytes,
        `${reason}, but the later record at byte ${offset} proves that it had been synced`,
      );
    }
  }
}
