import { type ChildProcess, execFile, spawn } from 'node:child_process';
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

  test('workers that are killed in the middle lose no task and double none', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const folder = await scratch.folder();
    for (let file = 0; file < FILES; file++)
      await writeFile(
        path.join(folder, `text-${file}.md`),
        `# File ${file}\n\n${'agent state '.repeat(200)}\n`,
      );
    const namespace = 'agent://killed';
    const shared = ['--url', server.url, '--namespace', namespace];
    const workers = new Set<ChildProcess>();
    const startWorker = (number: number): void => {
      const worker = spawn(process.execPath, [EXAMPLE, ...shared, '--worker', `worker-${number}`], {
        stdio: 'ignore',
      });
      workers.add(worker);
      worker.on('exit', () => workers.delete(worker));
    };
    let started = 0;
    let killed = 0;
    while (started < 3) startWorker(++started);
    const history = scratch.watch(new Client(server.url, namespace), '?from_commit=1');
    let steps = 0;
    // Each time that the board has moved on a little, who moved it last dies in the middle of something.
    const killer = setInterval(() => {
      const [worker] = workers;
      if (history.changes.length < steps + 8 || killed >= 6 || worker === undefined) return;
      steps = history.changes.length;
      worker.kill('SIGKILL');
      killed++;
      startWorker(++started);
    }, 5);
    try {
      const args = [...shared, '--folder', folder, '--workers', '0'];
      const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE, ...args], { timeout: 90_000 });
      expect(stdout).toContain(`${FILES} tasks done`);
    } finally {
      clearInterval(killer);
      for (const worker of workers) worker.kill('SIGKILL');
    }
    expect(killed).toBeGreaterThan(0);
    const done = history.changes.filter(
      ({ object }) => (object?.body as { words?: number }).words !== undefined,
    );
    expect(done).toHaveLength(FILES);
    expect(new Set(done.map(({ id }) => id)).size).toBe(FILES);
  }, 120_000);
});
