import { rmSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Never changed once they are written, only removed. */
const TABLE_FILE = /\.sst$/;
/** Says who has a folder open; the stand-in is opened by nobody else. */
const LOCK_FILE = 'LOCK';

/** A folder that is opened in the place of another one, so that nothing changes there. */
export interface StandIn {
  readonly location: string;
  remove(): Promise<void>;
}

/** An empty folder outside of the node's, where the system keeps what is temporary. */
export async function emptyStandIn(): Promise<StandIn> {
  const location = await mkdtemp(join(tmpdir(), 'agentstate-view-'));
  // Whoever prints into a pipe may be ended by its reader, and then nobody comes back to close anything.
  const atExit = (): void => rmSync(location, { recursive: true, force: true });
  process.once('exit', atExit);
  const remove = (): Promise<void> => {
    process.off('exit', atExit);
    return rm(location, { recursive: true, force: true });
  };
  return { location, remove };
}

/**
 * A stand-in for the RocksDB in `folder`. RocksDB can open a database for reading alone, but the binding has no option
 * for it, and the usual opening writes: a manifest, options, table files of what its log holds, and it removes what
 * those replace. The stand-in names the table files by symbolic links and has copies of all others, which are small
 * beside them; what RocksDB removes there is a link.
 */
export async function standInFor(folder: string): Promise<StandIn> {
  const standIn = await emptyStandIn();
  try {
    for (const name of await readdir(folder)) {
      const [from, to] = [join(folder, name), join(standIn.location, name)];
      if (TABLE_FILE.test(name)) await symlink(from, to);
      else if (name !== LOCK_FILE) await copyFile(from, to);
    }
  } catch (error) {
    await standIn.remove();
    throw error;
  }
  return standIn;
}
