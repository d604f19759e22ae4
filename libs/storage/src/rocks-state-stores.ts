import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GroupId } from '#contracts';
import type { NextGeneration, StateCorruption, StateStores } from '#replication';
import { readPointer, removePointer, syncFolder, writePointer } from './generation-pointer';
import { DEFAULT_STATE_MEMORY, type StateMemory } from './rocks-options';
import { RocksStateStore } from './rocks-state-store';

export interface RocksStateStoresOptions {
  /** Holds one folder for each group: `<folder>/<group>/<generation>/`. Made when missing. */
  readonly folder: string;
  readonly memory?: StateMemory;
  /** Told of damage that a read or a write of an open state has met, beside the error that its caller gets. */
  readonly onCorruption?: (error: StateCorruption) => void;
}

/** State folders of a node's replicas, each a RocksDB of its own. */
export class RocksStateStores implements StateStores {
  private readonly folder: string;
  private readonly memory: StateMemory;
  private readonly onCorruption: ((error: StateCorruption) => void) | undefined;

  constructor(options: RocksStateStoresOptions) {
    this.folder = options.folder;
    this.memory = options.memory ?? DEFAULT_STATE_MEMORY;
    this.onCorruption = options.onCorruption;
  }

  /**
   * Opens a group's state, empty if it is new. What a crash left half built is removed. Rejects with
   * `StateCorruption` or `UnknownFolderFormat`.
   */
  async open(group: GroupId): Promise<RocksStateStore> {
    const groupFolder = await this.makeGroupFolder(group);
    const current = await readPointer(groupFolder);
    if (current !== undefined) {
      const { memory, onCorruption } = this;
      const location = join(groupFolder, String(current));
      const counting = await RocksStateStore.open(location, { memory, onCorruption, create: false });
      // Only now: while the state that counts cannot be opened, another one may be all that is left.
      await removeGenerationsBut(groupFolder, current);
      return counting;
    }
    await removeGenerationsBut(groupFolder, undefined);
    const store = await this.openGeneration(groupFolder, 1);
    await writePointer(groupFolder, 1);
    return store;
  }

  /** Begins the generation after the one that counts. One at a time for each group. */
  async begin(group: GroupId): Promise<NextGeneration> {
    const groupFolder = await this.makeGroupFolder(group);
    const current = await readPointer(groupFolder);
    const generation = (current ?? 0) + 1;
    const location = join(groupFolder, String(generation));
    await rm(location, { recursive: true, force: true });
    const store = await this.openGeneration(groupFolder, generation);
    const install = async (): Promise<void> => {
      await store.flush();
      await writePointer(groupFolder, generation);
    };
    const cleanUp = (): Promise<void> => removeGenerationsBut(groupFolder, generation);
    const abandon = async (): Promise<void> => {
      await store.close();
      await rm(location, { recursive: true, force: true });
    };
    return { store, install, cleanUp, abandon };
  }

  async destroy(group: GroupId): Promise<void> {
    const groupFolder = join(this.folder, String(group));
    await mkdir(this.folder, { recursive: true });
    await removePointer(groupFolder);
    await rm(groupFolder, { recursive: true, force: true });
    await syncFolder(this.folder);
  }

  /** Groups with a state on this node's disk. */
  async groups(): Promise<GroupId[]> {
    await mkdir(this.folder, { recursive: true });
    return groupsIn(this.folder);
  }

  private async openGeneration(groupFolder: string, generation: number): Promise<RocksStateStore> {
    const location = join(groupFolder, String(generation));
    await mkdir(location);
    const { memory, onCorruption } = this;
    const store = await RocksStateStore.open(location, { memory, onCorruption, create: true });
    await syncFolder(groupFolder);
    return store;
  }

  private async makeGroupFolder(group: GroupId): Promise<string> {
    const groupFolder = join(this.folder, String(group));
    await mkdir(groupFolder, { recursive: true });
    await syncFolder(this.folder);
    await syncFolder(dirname(this.folder));
    return groupFolder;
  }
}

/** Groups that have a folder of their own in `folder`, in order. */
export async function groupsIn(folder: string): Promise<GroupId[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+$/.test(name));
  return names.map((name) => Number(name) as GroupId).sort((left, right) => left - right);
}

/** Only what the pointer names counts; the rest is what a crash left of building or of removing another. */
async function removeGenerationsBut(groupFolder: string, current: number | undefined): Promise<void> {
  for (const name of await readdir(groupFolder)) {
    if (!/^\d+$/.test(name) || Number(name) === current) continue;
    await rm(join(groupFolder, name), { recursive: true, force: true });
  }
}
