import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';

const USAGE = `usage: npm run keys [-- --file .env] [-- --next]

Writes new keys into an environment file: CAP_KEY_ACTIVE, CAP_KEY_NEXT, CLUSTER_SECRET. What the file says already
stays. With --next the next key becomes the active one, and a new next one is made: a step of the rotation.`;

/** Makes the keys of a deployment; nothing of them is printed. */
export function makeKeys(options) {
  const { file, promote } = readOptions(options);
  const settings = new Settings(file);
  if (promote) settings.promote();
  settings.give('CAP_KEY_ACTIVE_ID', newKeyId);
  settings.give('CAP_KEY_ACTIVE', newKey);
  settings.give('CAP_KEY_NEXT_ID', newKeyId);
  settings.give('CAP_KEY_NEXT', newKey);
  settings.give('CLUSTER_SECRET', newKey);
  settings.write();
  const ids = `active ${settings.valueOf('CAP_KEY_ACTIVE_ID')}, next ${settings.valueOf('CAP_KEY_NEXT_ID')}`;
  process.stdout.write(`${file} has the keys: ${ids}\n`);
  return 0;
}

function readOptions(options) {
  let file = '.env';
  let promote = false;
  for (let at = 0; at < options.length; at++) {
    if (options[at] === '--next') promote = true;
    else if (options[at] === '--file' && options[at + 1] !== undefined) file = options[++at];
    else throw new Failure(USAGE);
  }
  return { file: path.resolve(file), promote };
}

const newKey = () => randomBytes(32).toString('base64');

/** The day and a few letters: what people tell keys apart by, and never used twice. */
const newKeyId = () => `key-${new Date().toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;

/** The lines of an environment file; comments and their order stay. */
class Settings {
  constructor(file) {
    this.file = file;
    this.lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  valueOf(name) {
    return this.lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  }

  give(name, make) {
    if (this.valueOf(name) === undefined) this.set(name, make());
  }

  promote() {
    const [id, key] = [this.valueOf('CAP_KEY_NEXT_ID'), this.valueOf('CAP_KEY_NEXT')];
    if (id === undefined || key === undefined) throw new Failure(`${this.file} has no next key to promote.`);
    this.set('CAP_KEY_ACTIVE_ID', id);
    this.set('CAP_KEY_ACTIVE', key);
    this.set('CAP_KEY_NEXT_ID', '');
    this.set('CAP_KEY_NEXT', '');
  }

  set(name, value) {
    const at = this.lines.findIndex((line) => line.startsWith(`${name}=`));
    if (at >= 0) this.lines[at] = `${name}=${value}`;
    else this.lines.push(`${name}=${value}`);
  }

  /** For the owner's eyes alone. */
  write() {
    writeFileSync(this.file, `${this.lines.join('\n')}\n`, { mode: 0o600 });
    chmodSync(this.file, 0o600);
  }
}
