import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeIdentity } from '#replication';
import { IDENTITY_FILES } from './identity-file';

export interface PeerPlace {
  readonly host: string;
  readonly port: number;
}

interface Marker {
  readonly format: 1;
  /** `moving`: what was damaged is on its way aside; `joining`: it is aside, and the cluster has not been asked yet. */
  readonly phase: 'moving' | 'joining';
  readonly folder: string;
  readonly peers: readonly PeerPlace[];
}

const MARKER = 'rejoin.json';
/** The identity goes first: from then on nothing of what stays can vote. */
const MOVED = [...IDENTITY_FILES, 'wal', 'groups'];

/**
 * Damaged data of a cluster's member, moved aside to `DATA_DIR/quarantine-<time>/`. A member that forgot what it had
 * promised could elect a second leader or drop an acknowledged write, so the node gives its identity up with the data
 * and comes back as a new member, which its peers bring up to date.
 *
 * `DATA_DIR/rejoin.json` is synced before anything is moved. While it is there the node asks to be let into the
 * cluster that it was in, and never takes part in forming one: a majority of nodes whose data was damaged must not
 * begin again with nothing.
 */
export class Quarantine {
  private marker: Marker | undefined;

  constructor(private readonly dataDir: string) {}

  /** Where the cluster is that this node must come back to; `undefined` when nothing was set aside. */
  get peers(): readonly PeerPlace[] | undefined {
    return this.marker?.peers;
  }

  /** Reads what was left before, and finishes what was planned or cut off; gives the folder when it moved something. */
  async resume(): Promise<string | undefined> {
    this.marker = await this.read();
    if (this.marker?.phase === 'moving') {
      await this.move(this.marker);
      return join(this.dataDir, this.marker.folder);
    }
    if (this.marker !== undefined && (await exists(join(this.dataDir, IDENTITY_FILES[0])))) {
      await this.finish();
    }
    return undefined;
  }

  /** Has the next start move everything of this identity aside. Synced on return: the process may end at once. */
  plan(identity: NodeIdentity, nowMs: number): void {
    const path = join(this.dataDir, MARKER);
    const file = openSync(`${path}.next`, 'w', 0o600);
    try {
      writeSync(file, textOf(planOf(identity, nowMs)));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.next`, path);
    const folder = openSync(this.dataDir, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Moves everything of this identity aside; returns the folder that it is in. */
  async begin(identity: NodeIdentity, nowMs: number): Promise<string> {
    const marker = planOf(identity, nowMs);
    await this.write(marker);
    await this.move(marker);
    return join(this.dataDir, marker.folder);
  }

  /** The node has a new identity, and it is on disk. */
  async finish(): Promise<void> {
    this.marker = undefined;
    await rm(join(this.dataDir, MARKER), { force: true });
    await syncFolder(this.dataDir);
  }

  private async move(marker: Marker): Promise<void> {
    const to = join(this.dataDir, marker.folder);
    await mkdir(to, { recursive: true });
    for (const name of MOVED) {
      const from = join(this.dataDir, name);
      if (!(await exists(from))) continue;
      await rename(from, join(to, name));
      await syncFolder(to);
      await syncFolder(this.dataDir);
    }
    await this.write({ ...marker, phase: 'joining' });
  }

  private async read(): Promise<Marker | undefined> {
    const path = join(this.dataDir, MARKER);
    if (!(await exists(path))) return undefined;
    return JSON.parse(await readFile(path, 'utf8')) as Marker;
  }

  private async write(marker: Marker): Promise<void> {
    const path = join(this.dataDir, MARKER);
    const file = await open(`${path}.next`, 'w', 0o600);
    try {
      await file.writeFile(textOf(marker));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.next`, path);
    await syncFolder(this.dataDir);
    this.marker = marker;
  }
}

function planOf(identity: NodeIdentity, nowMs: number): Marker {
  const time = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
  const peers = identity.founders
    .filter(({ name }) => name !== identity.name)
    .map(({ host, port }) => ({ host, port }));
  return { format: 1, phase: 'moving', folder: `quarantine-${time}`, peers };
}

function textOf(marker: Marker): string {
  return `${JSON.stringify(marker)}\n`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
