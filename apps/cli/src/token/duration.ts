import { UsageError } from '../terminal';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads `90s`, `30m`, `12h`, `7d` or `3600`, which is seconds, and gives whole seconds, at least 1. */
export function durationSeconds(text: string, option: string): number {
  const [, count, unit = 's'] = /^([1-9]\d{0,8})([smhd])?$/.exec(text) ?? [];
  const unitSeconds = UNIT_SECONDS[unit];
  if (count === undefined || unitSeconds === undefined) {
    throw new UsageError(`${option}: ${JSON.stringify(text)} is no length of time. Example: ${option} 12h`);
  }
  return Number(count) * unitSeconds;
}

/** The largest two units of a length of time, for people: `2 h 5 m`. */
export function describeSeconds(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNIT_SECONDS[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
