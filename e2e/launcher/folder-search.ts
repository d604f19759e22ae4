import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** The files under a folder, at any depth, that hold these bytes or have them in their names. */
export async function filesWith(folder: string, wanted: Buffer): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.name.includes(wanted.toString())) found.push(file);
    if (!entry.isFile()) continue;
    // A file that went away meanwhile, as old ones of a store do, holds nothing.
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    if (bytes.includes(wanted)) found.push(file);
  }
  return found;
}
