import { ExpiryKind, Table } from './format';
import { HeadRow } from './head-row';
import { timerOfTotals } from './kept-answers';
import { expiryKey } from './keys';
import { decodeLease } from './lease-row';

/** Tables with rows that end by themselves, in the order of what an expiry row may speak of. */
export const EXPIRING_TABLES = [
  { table: Table.heads, kind: ExpiryKind.object },
  { table: Table.leases, kind: ExpiryKind.lease },
  { table: Table.keptTotals, kind: ExpiryKind.keptAnswers },
] as const;

/** The expiry row that belongs to a row of a namespace; `undefined` where there is none. */
export function expiryKeyOf(
  table: number,
  number: number,
  { rest, value }: { readonly rest: Uint8Array; readonly value: Uint8Array },
): Uint8Array | undefined {
  const kind = EXPIRING_TABLES.find((one) => one.table === table)?.kind;
  if (kind === undefined) return undefined;
  const expiresAtMs = endOf(table, value);
  return expiresAtMs === 0 ? undefined : expiryKey(expiresAtMs, kind, number, rest);
}

function endOf(table: number, value: Uint8Array): number {
  if (table === Table.heads) return new HeadRow(value).expiresAtMs;
  if (table === Table.leases) return decodeLease(value).expiresAtMs;
  return timerOfTotals(value);
}
