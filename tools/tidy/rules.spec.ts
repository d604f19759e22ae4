import { links, machinePaths, readmes } from './documents';
import { layers } from './layers';
import { fileLength, functionLength } from './lengths';
import { anyCasts, leftovers, printing, switchedTests } from './marks';
import { names } from './names';
import { Project, type Rule } from './project';
import { purity } from './purity';
import { reachability } from './reachability';

/** The goal: each rule can fail, and only where it should. The method: small made-up projects, good and bad. */
const findings = (rule: Rule, files: Record<string, string>): readonly string[] =>
  rule(new Project(new Map(Object.entries(files)))).map(
    ({ file, line, message }) => `${file}:${line} ${message}`,
  );

const lines = (count: number): string => 'x;\n'.repeat(count);

describe('layers', () => {
  test.each([
    ['libs/contracts/src/a.ts', "import { x } from '#raft';"],
    ['libs/raft/src/a.ts', "import type { x } from '#state-machine';"],
    ['libs/raft/src/a.ts', "import fs from 'node:fs';"],
    ['libs/codec/src/a.ts', "import { x } from 'fast-jwt';"],
    ['libs/raft/src/a.ts', "import { x } from '../../contracts/src/limits';"],
    ['libs/raft/src/a.spec.ts', "import { x } from '#wal';"],
    ['libs/wal/src/a.ts', "import { x } from '#storage';"],
    ['libs/wal/src/a.ts', "import { x } from '#raft/src/types';"],
    ['libs/wal/src/a.ts', "export * from '#testkit';"],
    ['libs/watch/src/a.ts', "const x = await import('#replication');"],
    ['libs/replication/src/a.ts', "let x: import('#wal').X;"],
    ['libs/replication/src/a.ts', "import { Injectable } from '@nestjs/common';"],
    ['libs/client/src/a.ts', "import { x } from '#contracts';"],
    ['libs/novel/src/a.ts', "import { x } from '#contracts';"],
    ['apps/cli/src/a.ts', "import { x } from '../../server/src/app.module';"],
    ['apps/server/src/a.ts', "import { x } from '../../../libs/wal/src/index';"],
    ['apps/server/src/a.ts', "import { x } from '#testkit';"],
    ['apps/server/src/a.ts', "const x = require('#nothing');"],
    ['apps/server/src/a.ts', "import { x } from '#client';"],
  ])('%s: %s is refused', (file, text) => {
    expect(findings(layers, { [file]: text })).toHaveLength(1);
  });

  test.each([
    ['libs/raft/src/a.ts', "import { x } from '#contracts'; import { y } from './quorum/b';"],
    ['libs/raft/src/a.spec.ts', "import { x } from '#testkit'; import fs from 'node:fs';"],
    ['libs/wal/src/a.ts', "import { x } from '#replication'; import fs from 'node:fs';"],
    ['apps/cli/src/a.ts', "const { run } = await import('../../server/src/run.js');"],
    ['apps/cli/src/a.ts', "import { x } from '#client';"],
    ['apps/server/src/a.ts', "import { Injectable } from '@nestjs/common'; import { x } from '#wal';"],
  ])('%s: %s is allowed', (file, text) => {
    expect(findings(layers, { [file]: text })).toEqual([]);
  });
});

describe('purity', () => {
  test.each([
    'Buffer.from([])',
    'let x: Buffer;',
    'Date.now()',
    'new Date()',
    'Math.random()',
    'setTimeout(x)',
    'process.exit()',
    'async () => 1',
    'async function f() {}',
    'let x: Promise<void>;',
    'const x = { process };',
    'globalThis.x',
  ])('%s is refused', (text) => {
    expect(findings(purity, { 'libs/raft/src/a.ts': text })).not.toEqual([]);
  });

  test.each([
    'x.process()',
    'const x = { process: 1 };',
    'new Date(5).toISOString()',
    'Math.max(1, 2)',
    'interface X { setTimeout(): void }',
    '// a Promise is kept\n',
  ])('%s is allowed', (text) => {
    expect(findings(purity, { 'libs/raft/src/a.ts': text })).toEqual([]);
  });

  test('specs and the shell are free', () => {
    expect(
      findings(purity, { 'libs/raft/src/a.spec.ts': 'Date.now()', 'libs/wal/src/a.ts': 'Buffer' }),
    ).toEqual([]);
  });
});

describe('lengths', () => {
  test('a file over the limit is found, a test has more room', () => {
    const found = findings(fileLength, {
      'libs/raft/src/a.ts': lines(401),
      'libs/raft/src/b.ts': lines(400),
    });
    expect(found).toEqual([expect.stringContaining('libs/raft/src/a.ts')]);
    expect(findings(fileLength, { 'e2e/a.e2e.ts': lines(600) })).toEqual([]);
    expect(findings(fileLength, { 'e2e/a.e2e.ts': lines(601) })).toHaveLength(1);
  });

  test('a function over the limit is found, a group of tests is not a function', () => {
    expect(findings(functionLength, { 'a.ts': `function f() {\n${lines(79)}}` })).toHaveLength(1);
    expect(findings(functionLength, { 'a.ts': `class A {\nf = () => {\n${lines(79)}}}` })).toHaveLength(1);
    expect(findings(functionLength, { 'a.ts': `function f() {\n${lines(78)}}` })).toEqual([]);
    expect(
      findings(functionLength, { 'a.spec.ts': `describe('a', () => {\n${lines(200)}it('b', f);});` }),
    ).toEqual([]);
    const shared = `const rules = () => {\n${lines(200)}test.each([1])('a', f);}`;
    expect(findings(functionLength, { 'a.ts': shared })).toEqual([]);
    expect(findings(functionLength, { 'a.spec.ts': `test('a', () => {\n${lines(200)}});` })).toHaveLength(1);
  });
});

describe('marks', () => {
  test.each(['TO' + 'DO: later', 'FIX' + 'ME', 'X' + 'XX', '@ts-' + 'ignore', '@ts-' + 'nocheck'])(
    '%s is found',
    (mark) => {
      expect(findings(leftovers, { 'a.ts': `x;\n// ${mark}\n` })).toEqual([
        expect.stringContaining('a.ts:2'),
      ]);
      expect(findings(leftovers, { '.ci/run': `# ${mark}\n` })).toHaveLength(1);
    },
  );

  test.each([
    'test.only(1)',
    'describe.skip(1)',
    'it.each([]).skip(1)',
    'xit(1)',
    'fdescribe(1)',
    'it.todo(1)',
  ])('%s is found', (call) => {
    expect(findings(switchedTests, { 'a.spec.ts': call })).toHaveLength(1);
  });

  test('a test that says why it is left out is allowed, one that says nothing is not', () => {
    expect(findings(switchedTests, { 'a.spec.ts': "it.skip('left out: no data here', f)" })).toEqual([]);
    expect(findings(switchedTests, { 'a.spec.ts': "it.skip('later', f)" })).toHaveLength(1);
    expect(findings(switchedTests, { 'a.spec.ts': "it.only('left out: all others', f)" })).toHaveLength(1);
  });

  test('printing is found in libraries and the server, not in the command line', () => {
    const files = { 'libs/wal/src/a.ts': 'console.log(1)', 'apps/server/src/a.ts': 'console.error(1)' };
    expect(findings(printing, files)).toHaveLength(2);
    expect(findings(printing, { 'apps/cli/src/a.ts': 'console.log(1)' })).toEqual([]);
  });

  test('casts to any are found', () => {
    expect(findings(anyCasts, { 'a.ts': 'f(x as any)' })).toHaveLength(1);
    expect(findings(anyCasts, { 'a.ts': '(x as anyone)' })).toEqual([]);
  });
});

describe('names', () => {
  test.each(['libs/raft/src/utils.ts', 'libs/helpers/a.ts', 'apps/cli/src/logText.ts', 'e2e/wal-helpers.ts'])(
    '%s is refused',
    (file) => {
      expect(findings(names, { [file]: '' })).toHaveLength(1);
    },
  );

  test.each(['libs/raft/src/log-unstable.ts', 'apps/server/src/auth/token.guard.ts', 'jest.e2e.config.cjs'])(
    '%s is allowed',
    (file) => {
      expect(findings(names, { [file]: '' })).toEqual([]);
    },
  );
});

describe('reachability', () => {
  test('a file is found that only unreached files lead to', () => {
    const files = {
      'apps/server/src/main.ts': "import './a'; new Worker(join(__dirname, 'worker.js'));",
      'apps/server/src/a.ts': "import { x } from '#wal';",
      'apps/server/src/worker.ts': '',
      'libs/wal/src/index.ts': "export { x } from './disk';",
      'libs/wal/src/disk/index.ts': '',
      'libs/wal/src/lost.ts': "import './lost-too';",
      'libs/wal/src/lost-too.ts': "import './lost';",
    };
    expect(findings(reachability, files)).toEqual([
      expect.stringContaining('libs/wal/src/lost-too.ts'),
      expect.stringContaining('libs/wal/src/lost.ts'),
    ]);
  });
});

describe('documents', () => {
  test('a library without a README is found', () => {
    expect(findings(readmes, { 'libs/wal/src/index.ts': '' })).toHaveLength(1);
    expect(findings(readmes, { 'libs/wal/src/index.ts': '', 'libs/wal/README.md': '' })).toEqual([]);
  });

  test('paths and registries of one machine are found', () => {
    const home = ['', 'home', 'ada', 'agentstate'].join('/');
    expect(findings(machinePaths, { 'a.md': `see ${home}` })).toHaveLength(1);
    expect(findings(machinePaths, { '.npmrc': 'registry=https://npm.example.com' })).toHaveLength(1);
    const lock = (host: string): string => `"resolved": "https://${host}/x/-/x-1.tgz"`;
    expect(findings(machinePaths, { 'package-lock.json': lock('npm.example.com') })).toHaveLength(1);
    expect(findings(machinePaths, { 'package-lock.json': '"version": "1.0.0"' })).toEqual([]);
    expect(findings(machinePaths, { 'a.md': 'https://example.com/home/ada and ./home/ada' })).toEqual([]);
  });

  test('broken links are found, code is not a link', () => {
    const b = '# What it *is*, and is not\n';
    const good =
      '[b](docs/b.md#what-it-is-and-is-not) [c](https://x.org) [d](docs/) `[e](f)`\n```\n[g](h)\n```\n';
    expect(findings(links, { 'a.md': good, 'docs/b.md': b })).toEqual([]);
    expect(findings(links, { 'a.md': '[b](docs/c.md)', 'docs/b.md': b })).toHaveLength(1);
    expect(findings(links, { 'a.md': '\n[b](docs/b.md#other)', 'docs/b.md': b })).toEqual([
      'a.md:2 docs/b.md#other: no such heading',
    ]);
  });
});
