import { readFile } from 'node:fs/promises';
import { Outdated } from './state-client.mjs';

/**
 * Takes open tasks as they appear, until the signal is aborted. Several workers may run anywhere: each task is
 * claimed by replacing exactly the open version of it, which only one of them can do.
 */
export async function work(client, name, signal) {
  let finished = 0;
  for await (const change of client.watch({ type: 'task', 'tag.status': 'open' }, signal)) {
    if (change.type !== 'PUT') continue;
    const claimed = await claim(client, change.object, name);
    if (claimed === undefined) continue;
    await finish(client, claimed);
    finished++;
  }
  return finished;
}

async function claim(client, task, worker) {
  try {
    return await client.replace(task, {
      type: 'task',
      tags: { status: 'working' },
      body: { ...task.body, worker },
    });
  } catch (error) {
    if (error instanceof Outdated) return undefined;
    throw error;
  }
}

async function finish(client, task) {
  const text = await readFile(task.body.file, 'utf8');
  const halfway = await client.replace(task, {
    type: 'task',
    tags: { status: 'working' },
    body: { ...task.body, progress: 0.5, lines: text.split('\n').length },
  });
  await client.replace(halfway, {
    type: 'task',
    tags: { status: 'done' },
    body: { ...halfway.body, progress: 1, ...summary(text) },
  });
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
