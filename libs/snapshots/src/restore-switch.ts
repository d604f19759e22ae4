import { join } from 'node:path';
import { SnapshotCorruption } from './errors';
import { nodeFolders, type FolderDisk } from './folder-disk';

/** In the data folder: what is being restored, until it takes the place of what is there. */
export const BUILDING_FOLDER = 'restore.building';
const MARKER = 'restore.json';
/** What a node is, the identity first: without it nothing of what stays can speak for the node. */
const SWITCHED = ['node.json', 'incarnation', 'rejoin.json', 'wal', 'groups'] as const;

interface Marker {
  readonly format: 1;
  /** `keeping`: what was there is on its way aside; `placing`: it is aside, and what was restored takes its place. */
  readonly phase: 'keeping' | 'placing';
  readonly keptIn: string;
}

/**
 * Puts a restored node in the place of the one in the data folder, all of it or nothing. The marker decides: a crash
 * before it is durable leaves the old node, and the half-built one is removed; after it, whoever comes next, the
 * restore or the server, ends what was begun. The old node stays in `before-restore-<time>/`.
 */
export class RestoreSwitch {
  constructor(
    private readonly dataDir: string,
    private readonly disk: FolderDisk = nodeFolders,
  ) {}

  /**
   * To be called under the folder's lock before anything in it is looked at. Ends a switch that a crash cut off and
   * gives the folder that the old node is in; without one it removes what a crash left of building.
   */
  async resume(): Promise<string | undefined> {
    const marker = await this.read();
    if (marker !== undefined) return this.run(marker);
    if (await this.disk.exists(join(this.dataDir, BUILDING_FOLDER))) {
      await this.disk.remove(this.dataDir, BUILDING_FOLDER);
    }
    return undefined;
  }

  /** Switches to what stands in the building folder, synced; gives the folder that the old node is in. */
  async begin(nowMs: number): Promise<string> {
    const time = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const marker: Marker = { format: 1, phase: 'keeping', keptIn: `before-restore-${time}` };
    await this.write(marker);
    return this.run(marker);
  }

  private async run(marker: Marker): Promise<string> {
    const { dataDir, disk } = this;
    const building = join(dataDir, BUILDING_FOLDER);
    const kept = join(dataDir, marker.keptIn);
    if (marker.phase === 'keeping') {
      await disk.makeFolder(dataDir, marker.keptIn);
      await this.moveAll(dataDir, kept);
      await this.write({ ...marker, phase: 'placing' });
    }
    if (await disk.exists(building)) {
      // The identity comes last, when all that it speaks for is there.
      await this.moveAll(building, dataDir, [...SWITCHED].reverse());
      await disk.remove(dataDir, BUILDING_FOLDER);
    }
    await disk.remove(dataDir, MARKER);
    return kept;
  }

  private async moveAll(from: string, to: string, names: readonly string[] = SWITCHED): Promise<void> {
    for (const name of names) {
      if (!(await this.disk.exists(join(from, name)))) continue;
      await this.disk.move({ folder: from, name }, { folder: to, name });
    }
  }

  private async read(): Promise<Marker | undefined> {
    const path = join(this.dataDir, MARKER);
    if (!(await this.disk.exists(path))) return undefined;
    const marker = parse(await this.disk.read(path));
    if (marker === undefined) throw new SnapshotCorruption(path, 'it is not what was written');
    return marker;
  }

  private write(marker: Marker): Promise<void> {
    return this.disk.replace(this.dataDir, MARKER, `${JSON.stringify(marker)}\n`);
  }
}

/** The marker names a folder that is moved: what it cannot have been written as is damage. */
function parse(text: string): Marker | undefined {
  try {
    const { format, phase, keptIn } = JSON.parse(text) as Partial<Marker>;
    const isWritten = format === 1 && (phase === 'keeping' || phase === 'placing') && isKeptName(keptIn);
    return isWritten ? { format, phase, keptIn } : undefined;
  } catch {
    return undefined;
  }
}

const isKeptName = (name: string | undefined): name is string =>
  name !== undefined && /^before-restore-[0-9TZ-]+$/.test(name);
