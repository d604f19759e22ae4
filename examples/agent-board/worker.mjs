import { readFile } from 'node:fs/promises';
import { Lost } from './state-client.mjs';

/** Seconds that a task stays claimed by a worker that says nothing more: one that was killed, or is stuck. */
const LEASE_SECONDS = 5;
const RETRY_MS = 500;

/**
 * Takes tasks that are not done as they appear, until the signal is aborted. Several workers may run anywhere, and
 * any of them may be killed at any moment: a task is worked on under a lease, each step of it happens only while the
 * lease is held (a fence), and the last one happens once (an idempotency key), whoever takes it.
 */
export async function work(client, name, signal) {
  const tasks = new Map();
  const watching = follow(client, tasks, signal);
  let finished = 0;
  while (!signal.aborted) {
    for (const id of [...tasks.keys()]) {
      if (signal.aborted || !tasks.has(id)) continue;
      const lease = await client.acquire(id, name, LEASE_SECONDS);
      if (lease === undefined) continue;
      try {
        if (await finish(client, id, name, lease)) finished++;
        tasks.delete(id);
        await client.release(lease);
      } catch (error) {
        // Somebody else has taken over meanwhile: what was done so far is theirs to go on with.
        if (!(error instanceof Lost)) throw error;
      }
    }
    await Promise.race([watching, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
  }
  await watching;
  return finished;
}

/** Keeps the tasks that are not done. */
async function follow(client, tasks, signal) {
  for await (const change of client.watch({ type: 'task' }, signal)) {
    if (change.type === 'DELETE' || change.object.tags.status === 'done') tasks.delete(change.id);
    else tasks.set(change.id, change.object);
  }
}

/** Does a task from where it stands; gives whether there was anything left to do. */
async function finish(client, id, worker, lease) {
  const task = await client.get(id);
  if (task === undefined || task.tags.status === 'done') return false;
  await client.patch(id, { tags: { status: 'working' }, body: { worker } }, { lease });
  const text = await readFile(task.body.file, 'utf8');
  const halfway = { body: { progress: 0.5, lines: text.split('\n').length } };
  await client.patch(id, halfway, { lease });
  const done = { tags: { status: 'done' }, body: { progress: 1, ...summary(text) } };
  await client.patch(id, done, { lease, key: `done/${id}` });
  return true;
}

const EVERYDAY = new Set(
  'the and that this with from what which for are not its one has was will can all but they who when than'.split(
    ' ',
  ),
);

/** How many words there are, and which ones say what the text is about. */
function summary(text) {
  const words = text.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
  const counts = new Map();
  for (const word of words) if (!EVERYDAY.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const topics = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
  return { words: words.length, topics: topics.map(([word]) => word) };
}
