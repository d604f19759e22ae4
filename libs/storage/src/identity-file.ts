import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { StateCorruption, type IdentityStore, type NodeIdentity } from '#replication';
import { UnknownFolderFormat } from './generation-pointer';

const FILE = 'node.json';
const INCARNATION_FILE = 'incarnation';
const FORMAT = 2;
/** The first format had no checksum. */
const FORMAT_WITHOUT_CHECKSUM = 1;

/** All that an identity is on disk, the one that counts first. */
export const IDENTITY_FILES = [FILE, INCARNATION_FILE] as const;

/**
 * `DATA_DIR/node.json`: who this node is. Replaced whole: written beside, synced, renamed, the folder synced. A
 * changed bit in it could make the node another one, so it has a checksum, CRC-32 over the identity's JSON.
 */
export class IdentityFile implements IdentityStore {
  constructor(private readonly folder: string) {}

  /**
   * The incarnation of this disk, made at random at the first call and synced before it is told to anyone: a first
   * boot that is cut off goes on under the same one.
   */
  async incarnation(): Promise<string> {
    const path = join(this.folder, INCARNATION_FILE);
    const known = await readIfThere(path);
    if (known !== undefined && /^[0-9a-f]{32}$/.test(known.trim())) return known.trim();
    const made = randomBytes(16).toString('hex');
    await this.replace(path, `${made}\n`);
    return made;
  }

  /** Rejects with `StateCorruption` or `UnknownFolderFormat`. */
  async load(): Promise<NodeIdentity | undefined> {
    const path = join(this.folder, FILE);
    const text = await readIfThere(path);
    if (text === undefined) return undefined;
    const { format, checksum, ...identity } = parse(path, text);
    if (format === FORMAT_WITHOUT_CHECKSUM && checksum === undefined) return identity;
    if (format !== FORMAT) throw new UnknownFolderFormat(path, format, FORMAT);
    if (checksum !== checksumOf(identity)) throw new StateCorruption(path, 'its checksum does not match');
    return identity;
  }

  save(identity: NodeIdentity): Promise<void> {
    const record = { format: FORMAT, checksum: checksumOf(identity), ...identity };
    return this.replace(join(this.folder, FILE), `${JSON.stringify(record, undefined, 2)}\n`);
  }

  private async replace(path: string, text: string): Promise<void> {
    const next = `${path}.next`;
    const file = await open(next, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

interface IdentityRecord extends NodeIdentity {
  readonly format: number;
  readonly checksum?: string;
}

function parse(path: string, text: string): IdentityRecord {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === 'object' && record !== null && 'format' in record) return record as IdentityRecord;
  } catch {
    // Said below.
  }
  throw new StateCorruption(path, 'it is not what was written');
}

const checksumOf = (identity: NodeIdentity): string =>
  crc32(JSON.stringify(identity)).toString(16).padStart(8, '0');
