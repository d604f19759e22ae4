// Builds the package twice, for `import` and for `require`, each with its own types. The compiler is told no types of
// Node's, so that what compiles here runs in browsers and on edge runtimes too; only `node.ts` is for Node.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

rmSync(path.join(here, 'dist'), { recursive: true, force: true });
for (const [kind, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', path.join(here, `tsconfig.${kind}.json`)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(path.join(here, 'dist', kind), { recursive: true });
  writeFileSync(path.join(here, 'dist', kind, 'package.json'), `${JSON.stringify({ type })}\n`);
}
copyFileSync(path.join(here, '../../LICENSE'), path.join(here, 'dist/LICENSE'));
