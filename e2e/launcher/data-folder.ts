import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Names, lengths and digests of all files but the lock, which says nothing of the node. */
export function contents(folder: string): readonly string[] {
  return files(folder).map((name) => {
    const bytes = readFileSync(path.join(folder, name));
    return `${name} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  });
}

/** Paths in a data folder of all files but the lock. */
export function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('lock') && statSync(path.join(folder, name)).isFile())
    .sort();
}

/** Flips one bit of a file, as a disk does that lies. */
export function flipBit(file: string, at: number, bit: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  writeFileSync(file, bytes);
}
