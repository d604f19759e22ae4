/** What package-lock.json says of one package; version 3 of the format. */
export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly version?: string;
  /** A text, or the forms that npm had before SPDX. */
  readonly license?: unknown;
  readonly licenses?: unknown;
}

export interface PackagesSight {
  /** `packages` of the lock file: by folder, the project itself under the empty name. */
  readonly locked: Readonly<Record<string, LockedPackage>>;
  readonly project: Pick<LockedPackage, 'dependencies' | 'devDependencies'>;
  /** The package.json in a folder; `undefined` where nothing is installed. */
  readonly installed: (folder: string) => Manifest | undefined;
  readonly npmrc: string;
}

/**
 * Licences that ask for no more than their text and notices, which each package brings into the image, and that go
 * together with Apache-2.0. Another one is a decision: read it, then add it here with what it asks for.
 */
const LICENCES: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  // Of argparse, the port of a module of Python's own library.
  'Python-2.0',
]);

/** Packages that would run code at installation. None does, by `.npmrc`; a new one is looked at before it is named. */
const WITH_SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    '@nxtedition/rocksdb',
    'builds from source where no prebuilt binary fits; the image builds it in a stage of its own',
  ],
  ['@scarf/scarf', 'counts installations of swagger-ui-dist for its makers'],
  ['@swc/core', 'looks for its native binary, which comes as a package of its own'],
  ['@parcel/watcher', 'builds from source where no prebuilt binary fits; development only'],
  ['unrs-resolver', 'looks for its native binary; development only'],
]);

/** The digest of every version in use, as `npm ci` checks it: sha512, never the sha1 of old lock files. */
const STRONG_DIGEST = /^sha512-[A-Za-z0-9+/]{86}==$/;
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

/** What is wrong with what the project depends on, a line each; no line when all is well. */
export function judgePackages(sight: PackagesSight): readonly string[] {
  const { locked, project, npmrc } = sight;
  const root = locked[''] ?? {};
  const found = Object.entries(locked)
    .filter(([folder]) => folder !== '')
    .flatMap(([folder, entry]) =>
      [judgeSource(entry), judgeScripts(folder, entry), judgeInstalled(folder, entry, sight)]
        .flat()
        .map((wrong) => `${nameOf(folder)} ${entry.version ?? ''}: ${wrong}`),
    );
  for (const kind of ['dependencies', 'devDependencies'] as const) {
    const [asked, pinned] = [project[kind] ?? {}, root[kind] ?? {}];
    for (const name of new Set([...Object.keys(asked), ...Object.keys(pinned)])) {
      if (asked[name] !== pinned[name])
        found.push(`${name}: package.json asks for ${asked[name]}, package-lock.json for ${pinned[name]}`);
    }
  }
  if (!/^ignore-scripts=true$/m.test(npmrc)) found.push('.npmrc: ignore-scripts=true is gone');
  return found;
}

function judgeSource({ integrity = 'none', resolved, link }: LockedPackage): readonly string[] {
  if (link === true) return ['is a link and not a package'];
  const wrong = STRONG_DIGEST.test(integrity) ? [] : [`its digest is ${integrity}`];
  if (resolved !== undefined && !resolved.startsWith(PUBLIC_REGISTRY)) wrong.push(`comes from ${resolved}`);
  return wrong;
}

function judgeScripts(folder: string, { hasInstallScript }: LockedPackage): readonly string[] {
  if (hasInstallScript !== true || WITH_SCRIPTS.has(nameOf(folder))) return [];
  return ['has a script for its installation that nobody has looked at'];
}

/** Production only: what development uses is not given to anybody. */
function judgeInstalled(folder: string, entry: LockedPackage, sight: PackagesSight): readonly string[] {
  if (entry.dev === true) return [];
  const manifest = sight.installed(folder);
  if (manifest === undefined && entry.optional !== true) return ['is not installed'];
  const wrong: string[] = [];
  if (manifest !== undefined && manifest.version !== entry.version)
    wrong.push(`version ${manifest.version} is installed`);
  const licence = manifest === undefined ? (entry.license ?? '') : licenceOf(manifest);
  if (!mayBeUsed(licence)) wrong.push(`its licence is ${licence === '' ? 'unknown' : licence}`);
  return wrong;
}

/** The name in the last `node_modules/` of a folder. */
const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 13);

function licenceOf({ license, licenses }: Manifest): string {
  const textOf = (one: unknown): string => {
    const text = typeof one === 'object' && one !== null && 'type' in one ? one.type : one;
    return typeof text === 'string' ? text : '';
  };
  if (Array.isArray(licenses)) return licenses.map(textOf).join(' OR ');
  return textOf(license);
}

/** SPDX expressions of one level: all parts of an AND, one of an OR. */
function mayBeUsed(expression: string): boolean {
  const bare = expression.replace(/[()]/g, '');
  return bare
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => LICENCES.has(licence.trim())));
}
