import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { Failure } from './failure.mjs';
import { inRoot } from './root.mjs';
import { report, step } from './step.mjs';

const NETWORK_ERRORS = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH)\b/;

/** Runs `npm ci` unless node_modules holds exactly what package-lock.json asks for. */
export async function installIfNeeded() {
  if (installedMatchesLock()) return;
  refuseForeignFolder();
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  console.log('installing what package-lock.json lists (npm ci); the first time takes about a minute');
  // Dev dependencies are what builds the program, whatever NODE_ENV the caller has.
  const { code, output, took } = await step('install', npm, ['ci', '--include=dev']);
  report('install', code === 0, took);
  if (code === 0) return;
  const network = NETWORK_ERRORS.exec(output);
  throw new Failure(
    network === null
      ? `npm ci failed:\n${output.trim()}`
      : `npm ci could not reach the package registry (${network[0]}). Check the network, or a proxy or mirror ` +
          `in npm's own settings (npm config get registry), and run the command again.`,
  );
}

/**
 * npm leaves a hidden lock file behind when an installation is complete, so an interrupted or older one is
 * noticed by comparing it, with no mark of our own. Optional packages may be absent: they are for other machines.
 */
function installedMatchesLock() {
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf('node_modules/.package-lock.json');
  if (wanted === undefined) throw new Failure('package-lock.json is missing or broken: restore it from git.');
  if (present === undefined) return false;
  return Object.entries(wanted).every(
    ([name, entry]) =>
      name === '' || (entry.optional && !present[name]) || present[name]?.version === entry.version,
  );
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(inRoot(file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** `npm ci` empties node_modules: behind a link that would be some other checkout's. */
function refuseForeignFolder() {
  const folder = inRoot('node_modules');
  const isLink = lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (!isLink) return;
  let target = 'a folder that is not there';
  try {
    target = realpathSync(folder);
  } catch {
    // A dangling link keeps the text above.
  }
  throw new Failure(
    `node_modules is a link to ${target}, which does not hold what package-lock.json asks for. ` +
      'Run npm ci there, or remove the link.',
  );
}
