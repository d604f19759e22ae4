import type { GroupId } from '#contracts';
import type { NextGeneration, Random, StateStore, StateStores } from '#replication';
import type { KeyRange, PinnedRows, WriteSet } from '#state-machine';

type Row = readonly [key: Uint8Array, value: Uint8Array];

/** Rows in bytewise order of their keys; strings of one character a byte order in the same way. */
class SortedRows {
  private readonly keys: string[] = [];
  private readonly rows: Row[] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    const text = keyText(key);
    const at = this.lowerBound(text);
    return this.keys[at] === text ? this.rows[at]?.[1] : undefined;
  }

  apply({ puts, deletes }: WriteSet): void {
    for (const [key, value] of puts) {
      const text = keyText(key);
      const at = this.lowerBound(text);
      const replaced = this.keys[at] === text ? 1 : 0;
      this.keys.splice(at, replaced, text);
      // Copied, as a real store would: what the writer does with its memory afterwards must not matter.
      this.rows.splice(at, replaced, [key.slice(), value.slice()]);
    }
    for (const key of deletes) {
      const text = keyText(key);
      const at = this.lowerBound(text);
      if (this.keys[at] !== text) continue;
      this.keys.splice(at, 1);
      this.rows.splice(at, 1);
    }
  }

  /** A copy: rows written later do not show in it. */
  range({ gte, lt, reverse, limit }: KeyRange): Row[] {
    let from = this.lowerBound(keyText(gte));
    let to = this.lowerBound(keyText(lt));
    if (limit !== undefined && reverse) from = Math.max(from, to - limit);
    else if (limit !== undefined) to = Math.min(to, from + limit);
    const rows = this.rows.slice(from, Math.max(from, to));
    return reverse ? rows.reverse() : rows;
  }

  /** Rows whose keys follow all that are there. */
  append(rows: readonly Row[]): void {
    for (const row of rows) {
      this.keys.push(keyText(row[0]));
      this.rows.push(row);
    }
  }

  all(): readonly Row[] {
    return this.rows;
  }

  private lowerBound(text: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as string) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What outlives a crash of one replica: the synced rows, and the batches after them, of which some may be lost. */
class SimulatedStateDisk {
  synced = new SortedRows();
  unsynced: WriteSet[] = [];

  flush(): void {
    for (const writes of this.unsynced) this.synced.apply(writes);
    this.unsynced = [];
  }

  /** Keeps a random number of the unsynced batches, the first ones. */
  crash(random: Random): void {
    this.unsynced.length = random.below(this.unsynced.length + 1);
    this.flush();
  }
}

/** The simulated twin of a replica's state: visible at once, durable by `flush`, a prefix after a crash. */
export class MemoryStateStore implements StateStore {
  private readonly rows = new SortedRows();
  isOpen = true;
  private pinned = 0;

  constructor(private readonly disk = new SimulatedStateDisk()) {
    this.rows.apply({ puts: disk.synced.all(), deletes: [] });
    for (const writes of disk.unsynced) this.rows.apply(writes);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.assertOpen();
    return this.rows.get(key);
  }

  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    this.assertOpen();
    return this.rows.range(range);
  }

  pin(range: KeyRange): PinnedRows {
    this.assertOpen();
    const rows = new SortedRows();
    rows.append(this.rows.range(range));
    this.pinned += 1;
    return {
      get: (key) => {
        this.assertOpen();
        return rows.get(key);
      },
      close: () => void (this.pinned -= 1),
    };
  }

  write(writes: WriteSet): void {
    this.assertOpen();
    this.rows.apply(writes);
    this.disk.unsynced.push(copyOf(writes));
  }

  flush(): Promise<void> {
    this.assertOpen();
    this.disk.flush();
    return Promise.resolve();
  }

  bytes(): number {
    return this.rows.all().reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }

  /** Scans are copies. */
  get openReads(): number {
    return this.pinned;
  }

  close(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }

  /** Whoever still uses a store after a crash or a close is mistaken. */
  private assertOpen(): void {
    if (!this.isOpen) throw new Error('the state store is closed');
  }
}

/** The state folders of one simulated node. */
export class MemoryStateStores implements StateStores {
  private readonly disks = new Map<GroupId, SimulatedStateDisk>();
  private readonly opened = new Map<GroupId, MemoryStateStore>();

  async open(group: GroupId): Promise<MemoryStateStore> {
    await this.refuseOpen(group);
    const disk = this.disks.get(group) ?? new SimulatedStateDisk();
    this.disks.set(group, disk);
    const store = new MemoryStateStore(disk);
    this.opened.set(group, store);
    return store;
  }

  begin(group: GroupId): Promise<NextGeneration> {
    const disk = new SimulatedStateDisk();
    const store = new MemoryStateStore(disk);
    const install = async (): Promise<void> => {
      await store.flush();
      this.disks.set(group, disk);
      this.opened.set(group, store);
    };
    return Promise.resolve({
      store,
      install,
      cleanUp: () => Promise.resolve(),
      abandon: () => store.close(),
    });
  }

  groups(): Promise<readonly GroupId[]> {
    return Promise.resolve([...this.disks.keys()]);
  }

  async destroy(group: GroupId): Promise<void> {
    await this.refuseOpen(group);
    this.disks.delete(group);
    this.opened.delete(group);
  }

  /** As a real one, whose folder this process has locked until it is closed. */
  private refuseOpen(group: GroupId): Promise<void> {
    const isOpen = this.opened.get(group)?.isOpen === true;
    return isOpen ? Promise.reject(new Error(`the state of group ${group} is open`)) : Promise.resolve();
  }

  /** The node dies: its stores are closed, and each group keeps a random prefix of what it had not synced. */
  async crash(random: Random): Promise<void> {
    for (const store of this.opened.values()) await store.close();
    this.opened.clear();
    for (const disk of this.disks.values()) disk.crash(random);
  }
}

function copyOf({ puts, deletes }: WriteSet): WriteSet {
  return {
    puts: puts.map(([key, value]) => [key.slice(), value.slice()] as const),
    deletes: deletes.map((key) => key.slice()),
  };
}

function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
