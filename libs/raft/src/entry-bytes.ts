import type { LogEntry } from '#contracts';

/** What an entry costs beside its data on the wire: see FORMAT.md, "Entries". */
export const ENTRY_HEADER_BYTES = 13;

/** The measure of every byte limit that bounds messages, windows and applied batches. */
export const entryBytes = (entry: LogEntry): number => ENTRY_HEADER_BYTES + entry.data.byteLength;

export function entriesBytes(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}
