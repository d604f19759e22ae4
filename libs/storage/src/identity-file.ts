import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityStore, NodeIdentity } from '#replication';
import { UnknownFolderFormat } from './generation-pointer';

const FILE = 'node.json';
const INCARNATION_FILE = 'incarnation';
const FORMAT = 1;

/** All that an identity is on disk, the one that counts first. */
export const IDENTITY_FILES = [FILE, INCARNATION_FILE] as const;

/** `DATA_DIR/node.json`: who this node is. Replaced whole: written beside, synced, renamed, the folder synced. */
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

  async load(): Promise<NodeIdentity | undefined> {
    const path = join(this.folder, FILE);
    const text = await readIfThere(path);
    if (text === undefined) return undefined;
    const { format, ...identity } = JSON.parse(text) as NodeIdentity & { readonly format: number };
    if (format !== FORMAT) {
      throw new UnknownFolderFormat(path, format, FORMAT);
    }
    return identity;
  }

  save(identity: NodeIdentity): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...identity }, undefined, 2);
    return this.replace(join(this.folder, FILE), `${text}\n`);
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
