// The part of this package that is for programs with files: Node, Bun and Deno.
import type { Checkpoint } from './watch/checkpoint.js';

interface FileHandle {
  writeFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface FileSystem {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  open(path: string, flags: string): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
}

/** Written as a name that compilers and bundlers do not look for: this package is compiled without Node's types. */
const FILE_SYSTEM: string = 'node:fs/promises';

/**
 * Keeps a watch's position in a file. Each save replaces the file whole and syncs it, so that a crash leaves the old
 * position or the new one. One watch per file.
 */
export function fileCheckpoint(path: string): Checkpoint {
  const files = import(FILE_SYSTEM) as Promise<FileSystem>;
  return {
    async load() {
      let text: string;
      try {
        text = await (await files).readFile(path, 'utf8');
      } catch (error) {
        if ((error as { readonly code?: string }).code === 'ENOENT') return undefined;
        throw error;
      }
      const position = /^\d{1,16}\n$/.test(text) ? Number(text) : NaN;
      if (!Number.isSafeInteger(position)) throw new Error(`${path} does not hold a position of a watch`);
      return position;
    },
    async save(position) {
      const system = await files;
      const file = await system.open(`${path}.new`, 'w');
      try {
        await file.writeFile(`${position}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await system.rename(`${path}.new`, path);
    },
  };
}
