import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads the `.hex` files of a folder in the order of their names: lines with `#` are remarks, the rest is hex. */
export function readCorpus(folder: string): readonly CorpusEntry[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const hex = text.replace(/^#.*$/gm, '').replace(/\s/g, '');
      if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error(`${join(folder, name)} is not hex`);
      return { name, bytes: new Uint8Array(Buffer.from(hex, 'hex')) };
    });
}
