import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityStore, NodeIdentity } from '#replication';
import { StartError } from '../config';

const FILE = 'node.json';
const FORMAT = 1;

/** `DATA_DIR/node.json`: who this node is. Replaced whole: written beside, synced, renamed, the folder synced. */
export class IdentityFile implements IdentityStore {
  constructor(private readonly folder: string) {}

  async load(): Promise<NodeIdentity | undefined> {
    const path = join(this.folder, FILE);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { format, ...identity } = JSON.parse(text) as NodeIdentity & { readonly format: number };
    if (format !== FORMAT) {
      throw new StartError(
        `${path} has format ${format}, and this version reads ${FORMAT}; use a newer one.`,
      );
    }
    return identity;
  }

  async save(identity: NodeIdentity): Promise<void> {
    const path = join(this.folder, FILE);
    const next = `${path}.next`;
    const file = await open(next, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ format: FORMAT, ...identity }, undefined, 2)}\n`);
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
