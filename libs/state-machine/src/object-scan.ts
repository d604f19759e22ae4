import { decodeUtf8 } from '#codec';
import type { CommitSeq, ScannedObject } from '#contracts';
import { ChangeRow } from './change-row';
import { readApplied } from './counters';
import { Table } from './format';
import { HeadRow } from './head-row';
import { changeKey, headKey, namespacePrefix, prefixRange } from './keys';
import { readNamespace } from './namespaces';
import { type ObjectConditions, ObjectFilter } from './object-filter';
import type { StateReader } from './state-reader';

/** Bytes that an object counts for beside its JSON. */
const OBJECT_BYTES = 64;

/** A scan pins old data while it is open: it must be closed. */
export interface ObjectScan {
  /** Position that the scan shows. */
  readonly position: CommitSeq;
  /** The next objects in id order, at most about `maxBytes` and at least one; empty at the end. */
  next(maxBytes: number): readonly ScannedObject[];
  close(): void;
}

/** Scans the live objects that match, as of this call; what has expired by `nowMs` is left out. */
export function openScan(
  reader: StateReader,
  ns: string,
  conditions: ObjectConditions,
  nowMs: number,
): ObjectScan {
  const { commitSeq: position } = readApplied(reader);
  const namespace = readNamespace(reader, ns);
  if (!namespace) return { position, next: () => [], close: () => undefined };
  const { number } = namespace;
  const filter = new ObjectFilter(conditions);
  const prefix = namespacePrefix(Table.heads, number);
  const key = headKey(number, filter.prefix, 0, filter.prefix.length);
  const heads = reader.scan(prefixRange(key))[Symbol.iterator]();
  // Of the same moment as the heads: what they name is there, whatever is compacted meanwhile.
  const versions = reader.pin(prefixRange(namespacePrefix(Table.changes, number)));
  const next = (maxBytes: number): ScannedObject[] => {
    const found: ScannedObject[] = [];
    for (let bytes = 0; bytes < maxBytes || found.length === 0;) {
      const row = heads.next();
      if (row.done) break;
      const head = new HeadRow(row.value[1]);
      if (!head.isLive(nowMs) || !filter.matchesLabels(head.labels)) continue;
      const { commitSeq } = head;
      const version = versions.get(changeKey(number, commitSeq, head.operation));
      if (!version) throw new Error(`the version at ${commitSeq} that a head names is missing`);
      const { tsMs, json } = new ChangeRow(version);
      found.push({ id: decodeUtf8(row.value[0], prefix.length), commitSeq, tsMs, json });
      bytes += OBJECT_BYTES + json.length;
    }
    return found;
  };
  const close = (): void => {
    heads.return?.();
    versions.close();
  };
  return { position, next, close };
}
