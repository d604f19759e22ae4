import type { PartWriter, SnapshotPart } from '#replication';
import type { StatePiece } from '#state-machine';
import type { Compression } from './compression';
import { BlockKind, encodeBlockHeader, encodePreamble, encodeTrailer } from './part-format';
import { completed, type SnapshotDisk, type SnapshotFile } from './snapshot-disk';

/** Bytes between two syncs: the log's own must never queue behind all of a snapshot. */
const SYNC_EVERY_BYTES = 4 * 1024 * 1024;

export interface PartFileOptions {
  readonly disk: SnapshotDisk;
  readonly path: string;
  readonly snapshotId: string;
  readonly compression: Compression;
}

/**
 * Writes a part front to back into a new file. One piece is compressed and written while the next is being read, no
 * more, so that a part of any size takes the memory of a few pieces.
 */
export class PartFile implements PartWriter {
  private readonly file: SnapshotFile;
  private position = 0;
  private syncedTo = 0;
  private underWay: Promise<void> = Promise.resolve();
  private isOpen = true;

  /** Throws when the file is there already, or cannot be made. */
  constructor(private readonly options: PartFileOptions) {
    this.file = options.disk.create(options.path);
  }

  async write(piece: StatePiece): Promise<void> {
    const before = this.underWay;
    const compressed = this.options.compression.deflate(piece.bytes);
    this.underWay = before.then(async () => {
      const stored = await compressed;
      const header = {
        kind: BlockKind.rows,
        rows: piece.rows,
        rawBytes: piece.bytes.length,
        storedBytes: stored.length,
      };
      await this.append([encodeBlockHeader(header, stored), stored]);
    });
    // Both are looked at in the end; neither may end the process meanwhile.
    compressed.catch(() => undefined);
    this.underWay.catch(() => undefined);
    await before;
  }

  async finish(part: Omit<SnapshotPart, 'bytes'>): Promise<SnapshotPart> {
    const end = this.underWay.then(async () => {
      const stored = encodeTrailer({ snapshotId: this.options.snapshotId, part });
      const header = { kind: BlockKind.end, rows: 0, rawBytes: stored.length, storedBytes: stored.length };
      await this.append([encodeBlockHeader(header, stored), stored]);
      await this.sync();
    });
    this.underWay = end;
    await end;
    await this.close();
    return { ...part, bytes: this.position };
  }

  /** Ends it, finished or not, once the disk has done what is under way. */
  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.underWay.catch(() => undefined);
    this.file.close();
  }

  private async append(parts: readonly Uint8Array[]): Promise<void> {
    if (!this.isOpen) throw new Error('the part is not being written any more');
    const all = this.position === 0 ? [encodePreamble(), ...parts] : parts;
    await completed((done) => this.file.write(all, this.position, done));
    for (const { length } of all) this.position += length;
    if (this.position - this.syncedTo >= SYNC_EVERY_BYTES) await this.sync();
  }

  private async sync(): Promise<void> {
    if (!this.isOpen) throw new Error('the part is not being written any more');
    await completed((done) => this.file.sync(done));
    this.syncedTo = this.position;
  }
}
