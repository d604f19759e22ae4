import path from 'node:path';
import { importsOf } from './imports';
import { CODE, type Finding, servesTests, type Rule } from './project';

const L0 = ['contracts', 'codec'];
const L1 = ['raft', 'state-machine'];
const L2 = ['replication', 'watch'];
const L3 = ['wal', 'storage', 'snapshots', 'transport', 'nats'];

/** What each library may import: the table of DESIGN section 1. A library that is not here may not exist. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  codec: ['contracts'],
  ...Object.fromEntries(L1.map((lib) => [lib, L0])),
  watch: [...L0, 'state-machine'],
  replication: [...L0, ...L1, 'watch'],
  ...Object.fromEntries(L3.map((lib) => [lib, [...L0, ...L1, ...L2]])),
  testkit: [...L0, ...L1, ...L2, ...L3],
  client: [],
};

const PURE = new Set([...L0, ...L1]);
/** Packages of the HTTP edge. */
const EDGE_PACKAGES =
  /^(@nestjs\/|@fastify\/|fastify$|reflect-metadata$|rxjs|class-validator$|class-transformer$)/;
/** The one import between programs: `agentstate serve` is the server. */
const SERVER_DOOR = /\/server\/src\/run(\.js)?$/;

/** Imports go down only, through doors only, and Nest stays in the programs. */
export const layers: Rule = (project) =>
  project.matching(CODE).flatMap((file) => {
    const home = homeOf(file);
    if (home === undefined) return [];
    return importsOf(project, file).flatMap(({ specifier, line }): Finding[] => {
      const message =
        home.lib === undefined ? judgeApp(file, specifier) : judgeLib(home.lib, file, specifier);
      return message === undefined ? [] : [{ file, line, message }];
    });
  });

interface Home {
  readonly lib?: string;
}

function homeOf(file: string): Home | undefined {
  const lib = /^libs\/([^/]+)\//.exec(file)?.[1];
  if (lib !== undefined) return { lib };
  return file.startsWith('apps/') ? {} : undefined;
}

function judgeLib(lib: string, file: string, specifier: string): string | undefined {
  const allowed = ALLOWED[lib];
  if (allowed === undefined) return `libs/${lib} has no place in the layers: add it to tools/tidy/layers.ts`;
  if (specifier.startsWith('.')) {
    const inside = targetOf(file, specifier).startsWith(`libs/${lib}/`);
    return inside ? undefined : `${specifier} leaves libs/${lib}: import another library as #name`;
  }
  if (specifier.startsWith('#')) {
    const wanted = specifier.slice(1);
    if (wanted.includes('/'))
      return `${specifier} goes past the door of a library: import #${wanted.split('/')[0]}`;
    if (allowed.includes(wanted)) return undefined;
    // A test may go through the door of its own library, as others do.
    if (servesTests(file) && (wanted === 'testkit' || wanted === lib)) return undefined;
    return `libs/${lib} may not import ${specifier}: imports go down only`;
  }
  if (servesTests(file)) return undefined;
  if (PURE.has(lib)) return `libs/${lib} is pure and imports no ${specifier}`;
  return EDGE_PACKAGES.test(specifier) ? `${specifier} belongs to apps/ only` : undefined;
}

function judgeApp(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const app = file.split('/').slice(0, 2).join('/');
    const target = targetOf(file, specifier);
    if (target.startsWith(`${app}/`) || target === 'package.json') return undefined;
    if (app === 'apps/cli' && SERVER_DOOR.test(target)) return undefined;
    return `${specifier} leaves ${app}`;
  }
  if (!specifier.startsWith('#')) return undefined;
  const wanted = specifier.slice(1);
  if (wanted.includes('/'))
    return `${specifier} goes past the door of a library: import #${wanted.split('/')[0]}`;
  if (wanted === 'testkit' && !servesTests(file)) return '#testkit is for tests alone';
  if (wanted === 'client' && file.startsWith('apps/server/'))
    return '#client is for programs outside the server';
  return ALLOWED[wanted] === undefined ? `${specifier} is no library of this project` : undefined;
}

const targetOf = (file: string, specifier: string): string =>
  path.posix.join(path.posix.dirname(file), specifier);
