import type { Digest } from '#state-machine';
import { digestOfPiece } from '#state-machine';
import { inflate } from './compression';
import { SnapshotCorruption, SnapshotFormatUnsupported } from './errors';
import {
  BLOCK_HEADER_BYTES,
  BlockKind,
  MAX_BLOCK_BYTES,
  PART_FORMAT_VERSION,
  PREAMBLE_BYTES,
  decodeTrailer,
  isSound,
  readBlockHeader,
  readPreamble,
  type BlockHeader,
  type PartTrailer,
} from './part-format';
import type { SnapshotDisk, SnapshotFile } from './snapshot-disk';

export interface ReadPartOptions {
  readonly disk: SnapshotDisk;
  readonly path: string;
  readonly digest: Digest;
  /** Sees each piece of rows in order: its bytes, and how far in the file that is. */
  readonly onPiece: (bytes: Uint8Array, positionBytes: number) => void | Promise<void>;
}

/**
 * Reads a part front to back and checks everything: each block's checksum, the number of rows, the digest, and that
 * nothing follows. Rejects with {@link SnapshotCorruption} or {@link SnapshotFormatUnsupported}; what `onPiece` saw
 * before that counts only when it resolves.
 */
export async function readPart(options: ReadPartOptions): Promise<PartTrailer & { readonly bytes: number }> {
  const { disk, path } = options;
  const file = disk.open(path, 'read');
  try {
    return await new PartReader(file, options).run();
  } finally {
    file.close();
  }
}

class PartReader {
  private readonly sizeBytes: number;
  private position = PREAMBLE_BYTES;

  constructor(
    private readonly file: SnapshotFile,
    private readonly options: ReadPartOptions,
  ) {
    this.sizeBytes = file.sizeBytes();
  }

  async run(): Promise<PartTrailer & { readonly bytes: number }> {
    const { digest, onPiece } = this.options;
    this.checkPreamble();
    let rows = 0;
    let soFar = '';
    for (;;) {
      const at = this.position;
      const { header, stored } = this.block();
      if (header.kind === BlockKind.end) {
        const trailer = decodeTrailer(stored);
        if (this.position !== this.sizeBytes) this.fail('bytes follow its end');
        if (trailer.part.rows !== rows)
          this.fail(`it has ${rows} rows, and ${trailer.part.rows} were written`);
        if (trailer.part.digest !== soFar)
          this.fail('its rows do not have the digest that they were written with');
        return { ...trailer, bytes: this.sizeBytes };
      }
      if (header.kind !== BlockKind.rows) this.fail(`a block of unknown kind ${header.kind} at byte ${at}`);
      const bytes = this.rowsOf(header, stored, at);
      rows += header.rows;
      soFar = digestOfPiece(soFar, bytes, digest);
      await onPiece(bytes, this.position);
    }
  }

  private checkPreamble(): void {
    const preamble = new Uint8Array(PREAMBLE_BYTES);
    const version = this.file.read(preamble, 0) < PREAMBLE_BYTES ? undefined : readPreamble(preamble);
    if (version === undefined) return this.fail('it does not begin like a part of a snapshot');
    if (version > PART_FORMAT_VERSION) {
      throw new SnapshotFormatUnsupported(this.options.path, version, PART_FORMAT_VERSION);
    }
  }

  private block(): { readonly header: BlockHeader; readonly stored: Uint8Array } {
    const at = this.position;
    const head = new Uint8Array(BLOCK_HEADER_BYTES);
    if (this.file.read(head, at) < BLOCK_HEADER_BYTES) this.fail(`it ends at byte ${at}, before its end`);
    const header = readBlockHeader(head);
    const room = this.sizeBytes - at - BLOCK_HEADER_BYTES;
    const fits = header.storedBytes <= Math.min(room, MAX_BLOCK_BYTES) && header.rawBytes <= MAX_BLOCK_BYTES;
    const stored = new Uint8Array(fits ? header.storedBytes : 0);
    if (!fits || this.file.read(stored, at + BLOCK_HEADER_BYTES) < stored.length || !isSound(head, stored)) {
      this.fail(`the block at byte ${at} is damaged or cut off`);
    }
    this.position = at + BLOCK_HEADER_BYTES + stored.length;
    return { header, stored };
  }

  private rowsOf(header: BlockHeader, stored: Uint8Array, at: number): Uint8Array {
    try {
      return inflate(stored, header.rawBytes);
    } catch (cause) {
      throw new SnapshotCorruption(this.options.path, `the rows at byte ${at} cannot be read`, { cause });
    }
  }

  private fail(reason: string): never {
    throw new SnapshotCorruption(this.options.path, reason);
  }
}
