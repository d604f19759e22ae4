import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from './launcher/client';
import { Scratch } from './launcher/scratch';

const EXAMPLE = path.join(__dirname, '../examples/agent-board/main.mjs');
const FILES = 30;

/** The goal: the example runs as its README says. The method: run it, then read the whole history of its board. */
describe('the agent board', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('every task is claimed once, and done once by who claimed it', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const folder = await scratch.folder();
    await mkdir(path.join(folder, 'inner'));
    for (let file = 0; file < FILES; file++) {
      const text = `# File ${file}\n\n${'agent state '.repeat(file + 1)}\n`;
      await writeFile(path.join(folder, file % 2 === 0 ? 'inner' : '.', `text-${file}.md`), text);
    }
    const namespace = 'agent://board';
    const args = ['--url', server.url, '--namespace', namespace, '--folder', folder, '--workers', '4'];
    const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE, ...args], { timeout: 60_000 });
    expect(stdout).toContain(`${FILES} tasks done`);

    const history = scratch.watch(new Client(server.url, namespace), '?from_commit=1');
    await history.until('the whole history', () => history.changes.length >= FILES * 4);
    const steps = new Map<string, string[]>();
    for (const { id = '', object } of history.changes) {
      const { progress, worker = 'nobody', words } = object?.body as Record<string, unknown>;
      steps.set(id, [
        ...(steps.get(id) ?? []),
        `${String(progress)} ${String(worker)} ${words === undefined ? '' : 'counted'}`,
      ]);
    }
    expect(steps.size).toBe(FILES);
    for (const [first, claimed = '', half, done, ...more] of steps.values()) {
      const worker = claimed.split(' ')[1];
      expect([first, claimed, half, done]).toEqual([
        '0 nobody ',
        `0 ${worker} `,
        `0.5 ${worker} `,
        `1 ${worker} counted`,
      ]);
      expect(more).toEqual([]);
    }
  });
});
