/**
 * Follows the board live and resolves with all tasks once `total` of them are done. On a terminal the picture is
 * drawn anew at each change; in a pipe each task is one line when it is done.
 */
export async function follow(client, total, signal, out) {
  const tasks = new Map();
  let drawnLines = 0;
  for await (const change of client.watch({ type: 'task' }, signal)) {
    if (change.type === 'DELETE') tasks.delete(change.id);
    else tasks.set(change.id, change.object);
    if (out.isTTY) drawnLines = draw(tasks, out, drawnLines);
    else if (change.object?.tags.status === 'done') out.write(`${row(change.object)}\n`);
    const done = [...tasks.values()].filter((task) => task.tags.status === 'done');
    if (done.length >= total) return done;
  }
  return [];
}

function draw(tasks, out, drawnLines) {
  const rows = [...tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(row);
  out.write(
    `${drawnLines > 0 ? `\x1b[${drawnLines}A` : ''}${rows.map((text) => `\x1b[K${text}\n`).join('')}`,
  );
  return rows.length;
}

function row({ tags, body }) {
  const filled = Math.round(body.progress * 10);
  const bar = '█'.repeat(filled) + '·'.repeat(10 - filled);
  const found =
    body.words === undefined ? '' : `${String(body.words).padStart(6)} words: ${body.topics.join(', ')}`;
  return `${tags.status.padEnd(8)}${bar}  ${(body.worker ?? '').padEnd(10)}${body.name.padEnd(34)}${found}`;
}
