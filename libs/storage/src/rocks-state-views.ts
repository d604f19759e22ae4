import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { GroupId } from '#contracts';
import type { StateReader } from '#state-machine';
import { readPointer } from './generation-pointer';
import { DEFAULT_STATE_MEMORY } from './rocks-options';
import { RocksStateStore } from './rocks-state-store';
import { groupsIn } from './rocks-state-stores';
import { emptyStandIn, standInFor } from './stand-in';

/** A state that is looked at. */
export interface StateView {
  readonly state: StateReader;
  /** Must be called in the end. Scans that are open end with an error. */
  close(): Promise<void>;
}

/**
 * Opens the states of a node that is stopped to look at them, and changes no byte of its folder. What RocksDB's own
 * log holds is written to a temporary folder meanwhile.
 */
export class RocksStateViews {
  private readonly folder: string;

  /** `folder` as `RocksStateStores` has it; it must be there. */
  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  groups(): Promise<readonly GroupId[]> {
    return groupsIn(this.folder);
  }

  /** Rejects with `StateCorruption` or `UnknownFolderFormat`; a state that was never begun is an empty one. */
  async open(group: GroupId): Promise<StateView> {
    const groupFolder = join(this.folder, String(group));
    await access(groupFolder);
    const generation = await readPointer(groupFolder);
    const location = generation === undefined ? groupFolder : join(groupFolder, String(generation));
    const standIn = generation === undefined ? await emptyStandIn() : await standInFor(location);
    try {
      const state = await RocksStateStore.open(standIn.location, {
        memory: DEFAULT_STATE_MEMORY,
        create: generation === undefined,
        standsInFor: location,
      });
      const close = async (): Promise<void> => {
        await state.close();
        await standIn.remove();
      };
      return { state, close };
    } catch (error) {
      await standIn.remove();
      throw error;
    }
  }
}
