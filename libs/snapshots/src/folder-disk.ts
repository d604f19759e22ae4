import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What moving whole folders needs of a file system. Each call resolves when it is durable. */
export interface FolderDisk {
  exists(path: string): Promise<boolean>;
  makeFolder(parent: string, name: string): Promise<void>;
  /** Moves a file or a folder, within one file system. */
  move(from: { folder: string; name: string }, to: { folder: string; name: string }): Promise<void>;
  read(path: string): Promise<string>;
  /** Puts a file of this text in the place of the one there, if any: a crash leaves one or the other. */
  replace(folder: string, name: string, text: string): Promise<void>;
  /** Removes a file or a folder with all that is in it. Not an error when it is not there. */
  remove(folder: string, name: string): Promise<void>;
}

export const nodeFolders: FolderDisk = {
  exists: (path) =>
    stat(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
        throw error;
      },
    ),
  async makeFolder(parent, name) {
    await mkdir(join(parent, name), { recursive: true });
    await syncFolder(parent);
  },
  async move(from, to) {
    await rename(join(from.folder, from.name), join(to.folder, to.name));
    await syncFolder(to.folder);
    await syncFolder(from.folder);
  },
  read: (path) => readFile(path, 'utf8'),
  async replace(folder, name, text) {
    const path = join(folder, name);
    const file = await open(`${path}.next`, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.next`, path);
    await syncFolder(folder);
  },
  async remove(folder, name) {
    await rm(join(folder, name), { recursive: true, force: true });
    await syncFolder(folder);
  },
};

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
