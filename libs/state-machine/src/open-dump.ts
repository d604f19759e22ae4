import { Table } from './format';
import { HeadRow } from './head-row';
import { namespacePrefix, prefixRange, tableRange } from './keys';
import { readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/** The live objects of a state as of one moment. It pins old data while it is open: it must be closed. */
export interface ObjectDump {
  /** The next objects' JSON as a GET answers it, at most about `maxBytes` and at least one; empty at the end. */
  next(maxBytes: number): readonly Uint8Array[];
  close(): void;
}

/**
 * Reads out what lives at `nowMs`, as of this call: one namespace in id order, or all, one after the other in the
 * order of their first changes.
 */
export function openDump(reader: StateReader, nowMs: number, ns?: string): ObjectDump {
  const number = ns === undefined ? undefined : readNamespace(reader, ns)?.number;
  if (ns !== undefined && number === undefined) return { next: () => [], close: () => undefined };
  const range =
    number === undefined ? tableRange(Table.heads) : prefixRange(namespacePrefix(Table.heads, number));
  const rows = reader.scan(range)[Symbol.iterator]();
  const next = (maxBytes: number): readonly Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (let bytes = 0; bytes < maxBytes;) {
      const row = rows.next();
      if (row.done === true) break;
      const head = new HeadRow(row.value[1]);
      if (!head.isLive(nowMs)) continue;
      found.push(head.json);
      bytes += head.jsonBytes;
    }
    return found;
  };
  return { next, close: () => void rows.return?.() };
}
