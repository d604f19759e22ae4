import type { LogDamage, LogReport } from '#wal';

/** A report in words: the segments, the groups, and what is wrong. */
export function explainReport({ segments, groups, damage }: LogReport): string {
  const records = segments.reduce((sum, segment) => sum + segment.records, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.usedBytes, 0);
  return [
    ...segments.map(
      ({ name, records: held, usedBytes }) => `segment ${name}: ${held} records, ${usedBytes} bytes`,
    ),
    ...groups.map(
      ({ group, floorIndex, lastIndex, hardState }) =>
        `group ${group}: entries ${floorIndex + 1} to ${lastIndex}, term ${hardState.term}, commit ${hardState.commit}`,
    ),
    `${records} sound records, ${bytes} bytes, in ${segments.length} segments`,
    damage === undefined ? 'ok' : explainDamage(damage),
    '',
  ].join('\n');
}

function explainDamage(damage: LogDamage): string {
  switch (damage.kind) {
    case 'tornTail':
      return `ok, with a torn tail: ${damage.bytes} bytes at ${damage.offset} of ${damage.segment}, which the next start cuts off`;
    case 'corruption':
      return `CORRUPT at ${damage.offset} of ${damage.segment}: ${damage.reason}`;
    case 'unsupportedVersion':
      return `UNSUPPORTED: ${damage.segment} has format version ${damage.version}, which this program does not know`;
  }
}
