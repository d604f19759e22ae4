import { ByteReader, decodeUtf8 } from '#codec';
import { ChangeRow } from './change-row';
import { Table } from './format';
import { HeadRow } from './head-row';
import { changeKey, namespaceNameKey, namespacePrefix, prefixRange, tableRange } from './keys';
import { readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/** The live objects of a state as of one moment. It pins old data while it is open: it must be closed. */
export interface ObjectDump {
  /** The next objects' JSON as a GET answers it, at most about `maxBytes` and at least one; empty at the end. */
  next(maxBytes: number): readonly Uint8Array[];
  close(): void;
}

export interface DumpScope {
  /** Only this namespace. */
  readonly ns?: string;
  /** Rows of one that is served elsewhere may still be here: they are nobody's to read. All are served if absent. */
  readonly isServed?: (ns: string) => boolean;
}

/**
 * Reads out what lives at `nowMs`, as of this call: one namespace in id order, or all, one after the other in the
 * order of their first changes.
 */
export function openDump(reader: StateReader, nowMs: number, scope: DumpScope = {}): ObjectDump {
  const { ns, isServed = () => true } = scope;
  const only = ns === undefined ? undefined : readNamespace(reader, ns)?.number;
  if (ns !== undefined && only === undefined) return { next: () => [], close: () => undefined };
  const rangeOf = (table: number): ReturnType<typeof tableRange> =>
    only === undefined ? tableRange(table) : prefixRange(namespacePrefix(table, only));
  const heads = reader.scan(rangeOf(Table.heads))[Symbol.iterator]();
  // Of the same moment as the heads: what they name is there, whatever is compacted meanwhile.
  const versions = reader.pin(rangeOf(Table.changes));
  const served = new Map<number, boolean>();
  const isShown = (number: number): boolean => {
    let shown = served.get(number);
    if (shown === undefined) {
      // A name that is gone since the scan was opened is that of a namespace that was erased.
      const name = reader.get(namespaceNameKey(number));
      served.set(number, (shown = name !== undefined && isServed(decodeUtf8(name))));
    }
    return shown;
  };
  const next = (maxBytes: number): readonly Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (let bytes = 0; bytes < maxBytes;) {
      const row = heads.next();
      if (row.done === true) break;
      const [key, value] = row.value;
      const number = new ByteReader(key, 1).u32();
      if (!isShown(number)) continue;
      const head = new HeadRow(value);
      if (!head.isLive(nowMs)) continue;
      const version = versions.get(changeKey(number, head.commitSeq, head.operation));
      if (!version) throw new Error(`the version at ${head.commitSeq} that a head names is missing`);
      found.push(new ChangeRow(version).json);
      bytes += head.jsonBytes;
    }
    return found;
  };
  const close = (): void => {
    heads.return?.();
    versions.close();
  };
  return { next, close };
}
