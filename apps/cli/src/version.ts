import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The version in the nearest package.json above, which is the same file from the sources and from `dist/`. It is
 * not imported as a module: the compiler would copy it into `dist/`, where its `imports` would lead nowhere.
 */
export function programVersion(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
