import path from 'node:path';
import ts from 'typescript';
import { importsOf } from './imports';
import { CODE, isTest, type Project, type Rule, walk } from './project';

/** Where running starts, or where others come in: programs, benchmarks, the doors of libraries, and tests. */
const ENTRY =
  /^(apps\/[^/]+\/src\/main|libs\/[^/]+\/src\/index|(libs\/[^/]+\/)?bench\/[^/]+|tools\/cluster\/run|libs\/testkit\/src\/simulator\/run)\.ts$|^tools\/run\.mjs$|^tools\/(packages\/audit|dashboard\/picture)\.mjs$|^libs\/client\/(build\.mjs|src\/node\.ts)$|^sdks\/conformance\/server\.mjs$|^[^/]+\.(mjs|cjs)$|^examples\/.*\.mjs$/;

/** A file that nothing leads to is dead code. */
export const reachability: Rule = (project) => {
  const files = project.matching(CODE);
  const reached = new Set<string>();
  const queue = files.filter((file) => ENTRY.test(file) || isTest(file));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    queue.push(...neighbours(project, file));
  }
  return files
    .filter((file) => !reached.has(file) && !file.endsWith('.d.ts'))
    .map((file) => ({ file, line: 0, message: 'no program, library door or test leads here' }));
};

function neighbours(project: Project, file: string): readonly string[] {
  const named = [
    ...importsOf(project, file).map(({ specifier }) => specifier),
    ...startedFiles(project, file),
  ];
  return named.flatMap((specifier) => {
    const target = resolve(project, file, specifier);
    return target === undefined ? [] : [target];
  });
}

/** Workers and child processes are started by the name of their built file, for instance `'worker.js'`. */
function startedFiles(project: Project, file: string): readonly string[] {
  const found: string[] = [];
  walk(project.tree(file), (node) => {
    if (ts.isStringLiteralLike(node) && /\.m?js$/.test(node.text) && !node.text.startsWith('.')) {
      found.push(`./${node.text}`);
    }
  });
  return found;
}

function resolve(project: Project, file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `libs/${specifier.slice(1)}/src/index.ts`;
  if (!specifier.startsWith('.')) return undefined;
  const base = path.posix.join(path.posix.dirname(file), specifier);
  const candidates = [base, `${base}.ts`, `${base}/index.ts`, base.replace(/\.js$/, '.ts')];
  return candidates.find((candidate) => CODE.test(candidate) && project.has(candidate));
}
