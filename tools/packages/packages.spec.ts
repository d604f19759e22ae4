import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { judgePackages, type LockedPackage, type Manifest, type PackagesSight } from './package-rules';

// Goal: what the project depends on is pinned, comes from the public registry, runs nothing at its installation, and
// may be given on. Method: the rules over the lock file and what is installed; and over made-up ones that break them.

const ROOT = path.join(__dirname, '../..');
const readJson = <Value>(file: string): Value =>
  JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Value;

test('what this project depends on', () => {
  const { packages } = readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json');
  const wrong = judgePackages({
    locked: packages,
    project: readJson<LockedPackage>('package.json'),
    installed: (folder) => {
      const file = path.join(folder, 'package.json');
      return existsSync(path.join(ROOT, file)) ? readJson<Manifest>(file) : undefined;
    },
    npmrc: readFileSync(path.join(ROOT, '.npmrc'), 'utf8'),
  });
  expect(wrong).toEqual([]);
  expect(Object.values(packages).filter(({ dev }) => dev !== true).length).toBeGreaterThan(50);
});

describe('the rules', () => {
  const good: LockedPackage = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };
  const judge = (
    entry: Partial<LockedPackage>,
    manifest: Manifest | undefined = { version: '1.0.0', license: 'MIT' },
    sight: Partial<PackagesSight> = {},
  ): readonly string[] =>
    judgePackages({
      locked: { '': { dependencies: { a: '^1.0.0' } }, 'node_modules/a': { ...good, ...entry } },
      project: { dependencies: { a: '^1.0.0' } },
      installed: () => manifest,
      npmrc: 'ignore-scripts=true\n',
      ...sight,
    });

  test('let pass what is as it should be', () => {
    expect(judge({})).toEqual([]);
    expect(judge({ resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' })).toEqual([]);
    for (const license of ['(MIT OR GPL-3.0)', 'MIT AND ISC', { type: 'ISC' }])
      expect(judge({}, { version: '1.0.0', license })).toEqual([]);
    expect(judge({}, { version: '1.0.0', licenses: [{ type: 'MIT' }, { type: 'GPL-2.0' }] })).toEqual([]);
    expect(judge({ dev: true, license: 'GPL-3.0' }, { version: '1.0.0', license: 'GPL-3.0' })).toEqual([]);
  });

  test.each<[string, Partial<LockedPackage>, Manifest?]>([
    ['digest', { integrity: undefined }],
    ['digest', { integrity: 'sha1-AAAA', dev: true }],
    ['comes from', { resolved: 'git+ssh://git@example.com/a.git' }],
    ['link', { link: true }],
    ['script', { hasInstallScript: true, dev: true }],
    ['licence is GPL-3.0', {}, { version: '1.0.0', license: 'GPL-3.0' }],
    ['licence is MIT AND GPL-3.0', {}, { version: '1.0.0', license: 'MIT AND GPL-3.0' }],
    ['licence is unknown', {}, { version: '1.0.0' }],
    ['version 1.0.1 is installed', {}, { version: '1.0.1', license: 'MIT' }],
  ])('refuse: %s', (reason, entry, manifest = { version: '1.0.0', license: 'MIT' }) => {
    expect(judge(entry, manifest).join()).toContain(reason);
  });

  test('refuse a lock that is of another package.json, what is missing, and scripts', () => {
    expect(judge({}, undefined, { installed: () => undefined })).toEqual(['a 1.0.0: is not installed']);
    expect(judge({ optional: true, license: 'X' }, undefined, { installed: () => undefined })).toHaveLength(
      1,
    );
    expect(judge({}, undefined, { project: { dependencies: { a: '^2.0.0' } } }).join()).toContain('^2.0.0');
    expect(judge({}, undefined, { npmrc: '' })).toEqual(['.npmrc: ignore-scripts=true is gone']);
  });
});
