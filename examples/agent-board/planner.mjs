import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Outdated } from './state-client.mjs';

const LEFT_OUT = /^(node_modules|dist|data|\..*)$/;

/** Finds the Markdown files of a folder, and puts one open task for each on the board. */
export async function plan(client, folder) {
  const files = await markdownFiles(folder);
  for (const file of files) {
    const name = path.relative(folder, file);
    try {
      await client.create(`task/${name}`, {
        type: 'task',
        tags: { status: 'open' },
        body: { name, file, progress: 0 },
      });
    } catch (error) {
      // An earlier run planned it already: planning twice is planning once.
      if (!(error instanceof Outdated)) throw error;
    }
  }
  return files.length;
}

async function markdownFiles(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (LEFT_OUT.test(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await markdownFiles(file)));
    else if (entry.name.endsWith('.md')) found.push(file);
  }
  return found.sort();
}
