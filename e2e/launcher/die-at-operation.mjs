/**
 * Loaded before the program (`node --import`): counts what it asks of the file system that changes anything, and kills
 * the process right before operation DIE_AT. Without DIE_AT it writes the number of operations to COUNT_TO at the end.
 */
import fs from 'node:fs';

const dieAt = Number(process.env['DIE_AT'] ?? Infinity);
const countTo = process.env['COUNT_TO'];
let operations = 0;

function next() {
  if (operations === dieAt) process.kill(process.pid, 'SIGKILL');
  operations++;
}

function counted(target, names) {
  for (const name of names) {
    const original = target[name];
    target[name] = function (...args) {
      next();
      return original.apply(this, args);
    };
  }
}

counted(fs, ['write', 'writev', 'fsync', 'fdatasync', 'rename', 'unlink', 'mkdir', 'ftruncate']);
counted(fs.promises, ['mkdir', 'rename', 'rm', 'unlink', 'writeFile']);
const handle = await fs.promises.open(new URL(import.meta.url), 'r');
counted(Object.getPrototypeOf(handle), ['write', 'writeFile', 'sync', 'datasync']);
await handle.close();

if (countTo !== undefined) process.on('exit', () => fs.writeFileSync(countTo, String(operations)));
