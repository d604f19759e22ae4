import type { GroupId } from '#contracts';
import type { SnapshotArchive, SnapshotPart, SnapshotRecord } from '#replication';
import { POOL_COMPRESSION, type Compression } from './compression';
import { MANIFEST_NAME, readManifest, writeManifest } from './manifest';
import { PartFile } from './part-file';
import { completed, type SnapshotDisk } from './snapshot-disk';

const UNFINISHED = '.tmp';

export const partName = (snapshotId: string, group: GroupId): string => `${snapshotId}.group-${group}`;

export interface OpenArchiveOptions {
  /** Folder of the snapshots; made when it is not there. One process at a time: the caller holds a lock. */
  readonly dir: string;
  readonly disk: SnapshotDisk;
  readonly compression?: Compression;
}

/**
 * Opens the named snapshots of a node and removes what a crash left of unfinished ones. Rejects with
 * `SnapshotCorruption` or `SnapshotFormatUnsupported` for a manifest that cannot be read; nothing was changed then.
 */
export async function openArchive(options: OpenArchiveOptions): Promise<Archive> {
  const { dir, disk } = options;
  await completed((done) => disk.createFolder(dir, done));
  const records = readManifest(disk, dir);
  // What a crash left is as durable as the process saw it only from here on.
  await completed((done) => disk.syncFolder(dir, done));
  const archive = new Archive(options, records);
  await archive.removeStray();
  return archive;
}

/**
 * The files of named snapshots. A part is written under a name of its own and synced; then it gets its final name,
 * the folder is synced, and only then does the manifest name the snapshot. Removal goes the other way round.
 */
export class Archive implements SnapshotArchive {
  private readonly writers = new Map<string, PartFile>();
  /** Changes of names, one after the other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: OpenArchiveOptions,
    private named: readonly SnapshotRecord[],
  ) {}

  records(): readonly SnapshotRecord[] {
    return this.named;
  }

  begin(snapshotId: string, group: GroupId): PartFile {
    const name = partName(snapshotId, group) + UNFINISHED;
    const { disk, compression = POOL_COMPRESSION } = this.options;
    const writer = new PartFile({ disk, path: this.path(name), snapshotId, compression });
    this.writers.set(name, writer);
    return writer;
  }

  publish(record: SnapshotRecord): Promise<void> {
    return this.exclusively(async () => {
      const { disk, dir } = this.options;
      for (const { group } of record.parts) {
        const name = partName(record.snapshotId, group);
        await completed((done) => disk.rename(this.path(name + UNFINISHED), this.path(name), done));
        this.writers.delete(name + UNFINISHED);
      }
      await completed((done) => disk.syncFolder(dir, done));
      await this.name([...this.named, record].sort(byAge));
    });
  }

  discard(snapshotId: string): Promise<void> {
    return this.exclusively(async () => {
      const isNamed = this.named.some((record) => record.snapshotId === snapshotId);
      await this.remove(
        (name) => name.startsWith(`${snapshotId}.`) && (name.endsWith(UNFINISHED) || !isNamed),
      );
    });
  }

  retain(keep: (record: SnapshotRecord, part: SnapshotPart) => boolean): Promise<void> {
    return this.exclusively(async () => {
      const kept = this.named.flatMap((record) => {
        const parts = record.parts.filter((part) => keep(record, part));
        return parts.length === 0 ? [] : [{ ...record, parts }];
      });
      if (partCount(kept) === partCount(this.named)) return;
      await this.name(kept);
      await this.removeUnnamed();
    });
  }

  bytes(): number {
    return this.named.flatMap(({ parts }) => parts).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Of what an earlier process left nothing that the manifest does not name. */
  removeStray(): Promise<void> {
    return this.exclusively(() => this.remove((name) => name !== MANIFEST_NAME && !this.isNamed(name)));
  }

  private removeUnnamed(): Promise<void> {
    return this.remove((name) => name !== MANIFEST_NAME && !name.endsWith(UNFINISHED) && !this.isNamed(name));
  }

  private async remove(unwanted: (name: string) => boolean): Promise<void> {
    const { disk, dir } = this.options;
    const names = disk.list(dir).filter(unwanted);
    for (const name of names) {
      await this.writers.get(name)?.close();
      this.writers.delete(name);
      await completed((done) => disk.remove(this.path(name), done));
    }
    if (names.length > 0) await completed((done) => disk.syncFolder(dir, done));
  }

  private async name(records: readonly SnapshotRecord[]): Promise<void> {
    await writeManifest(this.options.disk, this.options.dir, records);
    this.named = records;
  }

  private isNamed(name: string): boolean {
    return this.named.some(({ snapshotId, parts }) =>
      parts.some(({ group }) => partName(snapshotId, group) === name),
    );
  }

  private exclusively<Value>(act: () => Promise<Value>): Promise<Value> {
    const next = this.last.then(act, act);
    this.last = next.catch(() => undefined);
    return next;
  }

  private path(name: string): string {
    return `${this.options.dir}/${name}`;
  }
}

function byAge(left: SnapshotRecord, right: SnapshotRecord): number {
  return left.createdMs - right.createdMs || (left.snapshotId < right.snapshotId ? -1 : 1);
}

function partCount(records: readonly SnapshotRecord[]): number {
  return records.reduce((sum, { parts }) => sum + parts.length, 0);
}
