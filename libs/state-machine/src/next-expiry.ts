import { readApplied } from './counters';
import { expiryRange, readExpiryKey } from './keys';
import type { StateReader } from './state-reader';

/** Last millisecond that an expiry row can name. */
const LAST_MS = 2 ** 48 - 2;

/** When the next object expires, in milliseconds since 1970: what tells a leader when to propose its removal. */
export function nextExpiryMs(reader: StateReader): number | undefined {
  const { expiryFromMs } = readApplied(reader);
  for (const [key] of reader.scan({ ...expiryRange(expiryFromMs, LAST_MS), limit: 1 })) {
    return readExpiryKey(key).expiresAtMs;
  }
  return undefined;
}
