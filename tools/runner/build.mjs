import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';
import { inRoot } from './root.mjs';
import { report, step } from './step.mjs';

const STAMP = 'dist/.sources';
/** Folders that tsconfig.build.json compiles, and single files that change what comes out. */
const SOURCE_FOLDERS = ['apps', 'libs', 'bench', 'tools'];
const SOURCE_FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Builds when the sources differ from those of the last complete build. */
export async function buildIfNeeded() {
  if (lastBuild() !== sourceHash()) await build();
}

/** Builds from nothing. */
export async function rebuild() {
  rmSync(inRoot('dist'), { recursive: true, force: true });
  await build();
}

async function build() {
  // The compiler trusts its own record of what it wrote, so without our stamp nothing there can be relied on.
  if (lastBuild() === undefined) rmSync(inRoot('dist'), { recursive: true, force: true });
  const hash = sourceHash();
  rmSync(inRoot(STAMP), { force: true });
  const compiler = inRoot('node_modules/typescript/bin/tsc');
  const { code, output, took } = await step('build', process.execPath, [
    compiler,
    '-p',
    'tsconfig.build.json',
  ]);
  report('build', code === 0, took);
  if (code !== 0) throw new Failure(`The sources do not compile:\n${output.trim()}`);
  removeOrphans('dist');
  writeFileSync(inRoot(STAMP), hash);
}

function lastBuild() {
  return existsSync(inRoot(STAMP)) ? readFileSync(inRoot(STAMP), 'utf8') : undefined;
}

function sourceHash() {
  const hash = createHash('sha256');
  for (const file of [...SOURCE_FILES, ...SOURCE_FOLDERS.flatMap((folder) => sourcesUnder(folder))]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Specs are not compiled, so that changing one does not cost a build. */
const isSource = (name) => /\.(ts|json)$/.test(name) && !name.endsWith('.spec.ts');

function sourcesUnder(folder) {
  if (!existsSync(inRoot(folder))) return [];
  return readdirSync(inRoot(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourcesUnder(file);
      return entry.isFile() && isSource(entry.name) ? [file] : [];
    });
}

/** An incremental build leaves the output of deleted sources behind, where it would still be found and run. */
function removeOrphans(folder) {
  for (const entry of readdirSync(inRoot(folder), { withFileTypes: true })) {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) removeOrphans(file);
    const source = file.replace(/^dist\//, '').replace(/\.js(\.map)?$/, '.ts');
    if (/\.js(\.map)?$/.test(file) && !existsSync(inRoot(source))) rmSync(inRoot(file));
  }
}
