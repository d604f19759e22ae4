import { open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StateCorruption, UncertainInstall } from '#replication';

/** Version of the folder's layout and of the pointer file. */
export const FOLDER_FORMAT_VERSION = 1;
const POINTER_FILE = 'CURRENT';
const POINTER_PATTERN = /^agentstate-state (\d+)\ngeneration (\d+)\n$/;

/** A state folder that a newer program made. */
export class UnknownFolderFormat extends Error {
  constructor(
    readonly location: string,
    readonly version: number,
    supported: number,
  ) {
    super(`${location} has format ${version}; this program knows up to ${supported}`);
    this.name = 'UnknownFolderFormat';
  }
}

/** The generation that a group's pointer file names, or `undefined` when there is none. */
export async function readPointer(groupFolder: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(join(groupFolder, POINTER_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const match = POINTER_PATTERN.exec(text);
  if (!match) throw new StateCorruption(groupFolder, `the file ${POINTER_FILE} is not a pointer`);
  const version = Number(match[1]);
  if (version !== FOLDER_FORMAT_VERSION) {
    throw new UnknownFolderFormat(groupFolder, version, FOLDER_FORMAT_VERSION);
  }
  return Number(match[2]);
}

/**
 * Makes `generation` the one that counts. A crash leaves either the old pointer or the new one: the new content is
 * synced under another name first, and the rename is durable once the folder is synced. Rejects with
 * `UncertainInstall` when that last sync fails.
 */
export async function writePointer(groupFolder: string, generation: number): Promise<void> {
  const temporary = join(groupFolder, `${POINTER_FILE}.new`);
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`agentstate-state ${FOLDER_FORMAT_VERSION}\ngeneration ${generation}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(groupFolder, POINTER_FILE));
  await syncFolder(groupFolder).catch((error: unknown) => {
    throw new UncertainInstall(groupFolder, error);
  });
}

/** After this no generation counts, whatever is still there. */
export async function removePointer(groupFolder: string): Promise<void> {
  try {
    await unlink(join(groupFolder, POINTER_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncFolder(groupFolder);
}

/** Makes names made, changed or removed in a folder survive a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
