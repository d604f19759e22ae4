import type { DiskFile } from './disk';
import { checksum, readHeader, RECORD_HEADER_BYTES, recordBytes, type RecordHeader } from './record';

const WINDOW_BYTES = 1024 * 1024;
const ZERO_BLOCK = Buffer.alloc(64 * 1024);

/** Reads a segment front to back through a window, and judges what it sees record by record. */
export class SegmentReader {
  readonly sizeBytes: number;
  private window: Buffer;
  private view: DataView;
  private windowStart = 0;
  private windowEnd = 0;

  constructor(private readonly file: DiskFile) {
    this.sizeBytes = file.sizeBytes();
    this.window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, Math.max(this.sizeBytes, 1)));
    this.view = new DataView(this.window.buffer);
  }

  /** The bytes at `position`, valid until the next call; `undefined` when the file ends before. */
  bytes(position: number, length: number): Buffer | undefined {
    if (!this.load(position, length)) return undefined;
    return this.window.subarray(position - this.windowStart, position - this.windowStart + length);
  }

  /** Whether a record stands at `position` whose own checksum holds; its header is then in `header`. */
  record(position: number, header: RecordHeader): boolean {
    if (!this.header(position, header)) return false;
    const total = recordBytes(header.payloadBytes);
    const bytes = this.bytes(position, total);
    return bytes !== undefined && checksum(bytes.subarray(4)) === header.checksum;
  }

  payload(position: number, header: RecordHeader): Buffer {
    const bytes = this.bytes(position + RECORD_HEADER_BYTES, header.payloadBytes);
    if (bytes === undefined) throw new Error('a record was checked and is gone');
    return bytes;
  }

  /** Decodes the header at `position` without checking the record. */
  header(position: number, header: RecordHeader): boolean {
    if (!this.load(position, RECORD_HEADER_BYTES)) return false;
    return readHeader(this.view, position - this.windowStart, header);
  }

  /** Where the bytes other than zero end, at or after `from`; `from` when there are none. */
  endOfData(from: number): number {
    let end = from;
    for (let position = from; position < this.sizeBytes; position += ZERO_BLOCK.byteLength) {
      const length = Math.min(ZERO_BLOCK.byteLength, this.sizeBytes - position);
      const block = this.bytes(position, length);
      if (block === undefined || block.equals(ZERO_BLOCK.subarray(0, length))) continue;
      let last = length - 1;
      while (block[last] === 0) last--;
      end = position + last + 1;
    }
    return end;
  }

  private load(position: number, length: number): boolean {
    if (position >= this.windowStart && position + length <= this.windowEnd) return true;
    if (position + length > this.sizeBytes) return false;
    if (length > this.window.byteLength) {
      this.window = Buffer.allocUnsafeSlow(length);
      this.view = new DataView(this.window.buffer);
    }
    this.windowStart = position;
    this.windowEnd = position + this.file.read(this.window, position);
    return position + length <= this.windowEnd;
  }
}
