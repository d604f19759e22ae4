import { META_GROUP, type BuildCommand, type IndexesCommand } from '#contracts';
import { allFieldIndexes, isSamePath, parseSingularPath, type FieldIndex } from '#state-machine';
import type { Directory } from '../meta/directory';
import type { Replica } from '../replica';

/** Most bytes of objects that one command goes through. */
const BYTES_PER_STEP = 262_144;

const NO_PATHS: readonly string[] = [];

/** What of a replica this is about. */
export type IndexedReplica = Pick<Replica, 'group' | 'knowsAll' | 'store' | 'tenants'>;

export interface FieldIndexingOptions {
  readonly directory: Directory;
  /** Most objects that one command goes through, so that applying it never holds up the loop for long. */
  readonly rowsPerStep: number;
  /** Resolves when the directory holds all that was written before the call. */
  readonly refreshed: () => Promise<void>;
}

/**
 * Brings the indexes of a group's namespaces to what their settings say. The settings are documents of the meta group;
 * what is indexed, and how far a build has come, is in the group's own state. A leader compares the two and proposes
 * what is missing, so a crash or another leader goes on from where the log is.
 */
export class FieldIndexing {
  constructor(private readonly options: FieldIndexingOptions) {}

  /** What a leader should propose next, if anything. Rejects when the settings cannot be asked for. */
  async due(replica: IndexedReplica): Promise<IndexesCommand | BuildCommand | undefined> {
    if (replica.group === META_GROUP || !replica.knowsAll) return undefined;
    if (this.difference(replica) !== undefined) {
      // Settings that this node has not heard of yet must not be undone: an index takes long to build again.
      await this.options.refreshed();
      const difference = this.difference(replica);
      if (difference !== undefined) return difference;
    }
    for (const [ns, indexes] of allFieldIndexes(replica.store)) {
      const isDone = indexes.every(({ state }) => state === 'ready');
      if (!isDone && this.mayChange(replica, ns))
        return { kind: 'build', ns, limit: this.options.rowsPerStep, limitBytes: BYTES_PER_STEP };
    }
    return undefined;
  }

  private difference(replica: IndexedReplica): IndexesCommand | undefined {
    const known = allFieldIndexes(replica.store);
    const names = new Set([...known.keys(), ...this.options.directory.indexed]);
    for (const ns of names) {
      if (!this.mayChange(replica, ns)) continue;
      const paths = this.options.directory.namespaces.get(ns)?.settings.indexes ?? NO_PATHS;
      if (!isAsSet(known.get(ns) ?? [], paths)) return { kind: 'indexes', ns, paths };
    }
    return undefined;
  }

  /** Whether the namespace is at home in the replica's group and stays there. */
  private mayChange(replica: IndexedReplica, ns: string): boolean {
    const document = this.options.directory.namespaces.get(ns);
    const isAtHome =
      document === undefined || (document.group === replica.group && document.movingTo === undefined);
    return isAtHome && replica.tenants.mayWrite(ns);
  }
}

function isAsSet(known: readonly FieldIndex[], paths: readonly string[]): boolean {
  const kept = known.filter(({ state }) => state !== 'dropping');
  const wanted = paths.map((text) => {
    const parsed = parseSingularPath(text);
    // Settings are checked before they are written, by this program or a newer one that knows more of paths.
    return parsed.kind === 'path' ? parsed.path : undefined;
  });
  return (
    kept.every(({ path }) => wanted.some((one) => one !== undefined && isSamePath(one, path))) &&
    wanted.every((one) => one === undefined || kept.some(({ path }) => isSamePath(one, path)))
  );
}
