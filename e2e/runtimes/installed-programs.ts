import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A runtime that npm has, as a package which brings the binary of this system by an optional dependency. */
export interface RuntimePackage {
  readonly name: string;
  /** Exact, so that a test is about the same program everywhere. */
  readonly version: string;
  /** The scope of the packages that hold the binaries, and where in them it lies. */
  readonly scope: string;
  readonly binary: string;
}

const INSTALL_DEADLINE_MS = 120_000;

/**
 * Installs the runtime into a folder of its own below `folder`; the path of its program, or `undefined` where there is
 * no registry or no binary for this system. No script of the package is run. At once and not as a promise, because the
 * names of tests depend on it.
 */
export function installedRuntime(
  folder: string,
  { name, version, scope, binary }: RuntimePackage,
): string | undefined {
  const project = path.join(folder, 'installed', name);
  mkdirSync(project, { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{"private":true}');
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const { status } = spawnSync('npm', ['install', ...flags, `${name}@${version}`], {
    cwd: project,
    timeout: INSTALL_DEADLINE_MS,
  });
  if (status !== 0) return undefined;
  const binaries = path.join(project, 'node_modules', scope);
  if (!existsSync(binaries)) return undefined;
  return readdirSync(binaries)
    .map((forSystem) => path.join(binaries, forSystem, binary))
    .find((program) => spawnSync(program, ['--version']).status === 0);
}

const BROWSERS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

/** A Chromium of this machine; `undefined` where there is none. */
export const installedChromium = (): string | undefined =>
  BROWSERS.find((program) => spawnSync(program, ['--version']).status === 0);
