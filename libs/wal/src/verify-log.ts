import type { GroupId, HardState } from '#contracts';
import type { Disk } from './disk';
import { LogCorruption, LogFormatUnsupported } from './errors';
import { LogScan } from './log-scan';
import { nodeDisk } from './node-disk';
import { Replay } from './replay';

export interface VerifiedSegment {
  readonly name: string;
  readonly firstSequence: number;
  readonly records: number;
  /** Bytes of sound records; the file may be longer. */
  readonly usedBytes: number;
  readonly sizeBytes: number;
}

export interface VerifiedGroup {
  readonly group: GroupId;
  readonly hardState: HardState;
  readonly floorIndex: number;
  readonly floorTerm: number;
  readonly lastIndex: number;
}

export type LogDamage =
  /** What a crash leaves; the next start cuts it. */
  | { readonly kind: 'tornTail'; readonly segment: string; readonly offset: number; readonly bytes: number }
  | {
      readonly kind: 'corruption';
      readonly segment: string;
      readonly offset: number;
      readonly reason: string;
    }
  | { readonly kind: 'unsupportedVersion'; readonly segment: string; readonly version: number };

/** What an offline look at a log found. With damage, segments and groups are as far as the sound records go. */
export interface LogReport {
  readonly segments: readonly VerifiedSegment[];
  readonly groups: readonly VerifiedGroup[];
  readonly damage: LogDamage | undefined;
}

/** Reads the log in `dir` and changes nothing. Throws only the disk's own errors, as when there is no folder. */
export function verifyLog(dir: string, disk: Disk = nodeDisk): LogReport {
  const replay = new Replay();
  const scan = new LogScan(disk, dir, 'read', (segment, offset, header, payload) =>
    replay.visit(segment, offset, header, payload),
  );
  let damage: LogDamage | undefined;
  try {
    scan.run();
    replay.finish();
    const last = scan.segments.at(-1);
    if (scan.tornTail !== undefined && last !== undefined) {
      const { offset, endOffset } = scan.tornTail;
      damage = { kind: 'tornTail', segment: last.name, offset, bytes: endOffset - offset };
    }
  } catch (error) {
    damage = damageOf(error);
  } finally {
    scan.close();
  }
  return {
    segments: scan.segments.map(({ name, firstSequence, records, usedBytes, sizeBytes }) => ({
      name,
      firstSequence,
      records,
      usedBytes,
      sizeBytes,
    })),
    groups: [...replay.groups.values()].map((group) => ({
      group: group.id,
      hardState: group.hardState,
      floorIndex: group.floorIndex,
      floorTerm: group.floorTerm,
      lastIndex: group.lastIndex,
    })),
    damage,
  };
}

function damageOf(error: unknown): LogDamage {
  if (error instanceof LogCorruption) {
    const { segment, offset, reason } = error;
    return { kind: 'corruption', segment, offset, reason };
  }
  if (error instanceof LogFormatUnsupported) {
    return { kind: 'unsupportedVersion', segment: error.segment, version: error.version };
  }
  throw error;
}
