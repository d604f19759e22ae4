#!/usr/bin/env node
// A planner and some workers share a board of tasks: run it while `npm start` runs. See README.md.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { follow } from './board.mjs';
import { plan } from './planner.mjs';
import { StateClient } from './state-client.mjs';
import { work } from './worker.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    folder: { type: 'string', default: path.join(import.meta.dirname, '../..') },
    workers: { type: 'string', default: '3' },
    namespace: { type: 'string', default: `agent://board-${Date.now()}` },
    token: { type: 'string' },
    // Only works, under this name, until it is killed.
    worker: { type: 'string' },
  },
});

const client = new StateClient(values);
const over = new AbortController();
if (values.worker !== undefined) await work(client, values.worker, over.signal);
const workers = Array.from({ length: Number(values.workers) }, (_, number) =>
  work(client, `worker-${number + 1}`, over.signal),
);
const total = await plan(client, path.resolve(values.folder));
if (total === 0) {
  console.error(`${values.folder} holds no Markdown files, so there is nothing to do`);
  process.exit(1);
}
// A worker that fails ends the run, instead of leaving its task half done without a word.
const done = await Promise.race([follow(client, total, over.signal, process.stdout), ...workers]);
over.abort();
const finished = await Promise.all(workers);
console.log(
  `\n${done.length} tasks done: ${finished.map((count, index) => `worker-${index + 1} ${count}`).join(', ')}`,
);
