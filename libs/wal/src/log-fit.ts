import type { LogWrite } from '#replication';
import type { GroupLog } from './group-log';

/** Term of an entry that is there, or of the floor. */
export function termOf(log: GroupLog, index: number): number | undefined {
  if (index === log.floorIndex) return log.floorTerm;
  return log.index.has(index) ? log.index.term(index) : undefined;
}

/** Writes that do not continue the group's log are a programmer's error, found before anything is taken. */
export function assertFits(log: GroupLog, { group, reset, hardState, entries }: LogWrite): void {
  const floorIndex = reset?.index ?? log.floorIndex;
  const lastIndex = reset?.index ?? log.lastIndex;
  const first = entries[0];
  if (hardState !== undefined && hardState.commit > (entries.at(-1)?.index ?? lastIndex)) {
    throw new RangeError(`commit index ${hardState.commit} of group ${group} is past its last entry`);
  }
  if (first === undefined) return;
  if (first.index <= floorIndex || first.index > lastIndex + 1) {
    throw new RangeError(`entry ${first.index} of group ${group} does not fit ${floorIndex} to ${lastIndex}`);
  }
  for (const [position, entry] of entries.entries()) {
    if (entry.index !== first.index + position) {
      throw new RangeError(`entry ${entry.index} of group ${group} does not follow the one before it`);
    }
  }
}
