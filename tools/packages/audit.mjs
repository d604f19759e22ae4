// Asks the package registry for known vulnerabilities of what production uses. A registry that does not answer, or
// that has no such list, is said and is no failure: the machine may have no network.
import { spawnSync } from 'node:child_process';

const TIMEOUT_MS = 60_000;
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const { stdout = '', error } = spawnSync(npm, ['audit', '--omit=dev', '--json', '--fetch-retries=0'], {
  encoding: 'utf8',
  timeout: TIMEOUT_MS,
});
const { metadata, vulnerabilities = {} } = reportOf(stdout);
if (metadata === undefined) {
  const why = error === undefined ? 'it has no such list, or is out of reach' : error.message;
  console.log(`the registry was not asked for vulnerabilities: ${why}`);
} else {
  const bad = Object.values(vulnerabilities).filter(({ severity }) => /^(high|critical)$/.test(severity));
  for (const { name, severity, range } of Object.values(vulnerabilities)) {
    console.log(`${severity}: ${name} ${range}`);
  }
  console.log(`${metadata.dependencies.prod} packages, ${Object.keys(vulnerabilities).length} vulnerable`);
  process.exitCode = bad.length === 0 ? 0 : 1;
}

function reportOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
