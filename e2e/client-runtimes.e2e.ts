import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createSigner } from 'fast-jwt';
import { PackedClient } from './launcher/packed-client';
import { Scratch } from './launcher/scratch';
import type { ServerProcess } from './launcher/server-process';
import { BrowserPage } from './runtimes/browser-page';
import { installedChromium, installedRuntime } from './runtimes/installed-programs';
import { workerConfig } from './runtimes/worker-config';

/** One folder for all that is installed here. It is made before the tests are named, which depends on it. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'agentstate-runtimes-'));
const PROGRAMS = {
  Bun: installedRuntime(folder, { name: 'bun', version: '1.4.5', scope: '@oven', binary: 'bin/bun' }),
  Deno: installedRuntime(folder, { name: 'deno', version: '2.9.6', scope: '@deno', binary: 'deno' }),
  workerd: installedRuntime(folder, {
    name: 'workerd',
    version: '1.20261117.1',
    scope: '@cloudflare',
    binary: 'bin/workerd',
  }),
  Chromium: installedChromium(),
};
const MISSING = {
  Bun: 'npm has no Bun for this machine',
  Deno: 'npm has no Deno for this machine',
  workerd: 'npm has no workerd for this machine',
  Chromium: 'no Chromium here (Debian: chromium-headless-shell)',
};

const PROJECT_FILES = [
  'main.mjs',
  'main.cjs',
  'use-client.mjs',
  'file-checkpoint.mjs',
  'with-lease.mjs',
  'await-using.mjs',
];
/** What `use-client.mjs` answers, wherever it runs. */
const ANSWER = {
  read: [{ status: 'running', text: 'Ü€😀' }, { a: 'b' }, true],
  late: [true, true],
  absent: [true, 'not_found', 'string'],
  made: true,
  live: [
    ['PUT', 'task-2', 'open'],
    ['PUT', 'task-2', 'done'],
  ],
  ids: ['made', 'task-1', 'task-2'],
  stopped: 1,
  lease: [true, 'by its holder'],
  released: [true, 'not_found', 'string'],
  refused: [true, 'operation_denied', 'string'],
};
/** And where there are files. */
const WITH_FILES = { ...ANSWER, goesOn: true };

/**
 * The goal: the client does the same wherever it promises to run. The method: install what is published into an empty
 * project, and have one program use it in each runtime, against a real node that asks for tokens and, of the browser,
 * for the page's origin.
 */
describe('the packed client in', () => {
  const key = randomBytes(32);
  const scratch = new Scratch();
  const running: ChildProcess[] = [];
  let packed: PackedClient;
  let page: BrowserPage;
  let origin: string;
  let server: ServerProcess;
  beforeAll(async () => {
    packed = await PackedClient.install(folder);
    page = new BrowserPage(modulesOf(packed.project));
    origin = await page.listen();
    const environment = {
      DEV_MODE: 'false',
      HTTP_HOST: '127.0.0.1',
      CAP_KEY_ACTIVE: key.toString('base64'),
      CAP_KEY_ACTIVE_ID: 'active',
      CORS_ORIGINS: origin,
    };
    server = await scratch.start({ dataDir: await scratch.folder(), environment });
  });
  afterEach(async () => {
    for (const child of running.splice(0)) await killed(child);
  });
  afterAll(async () => {
    await page?.close();
    await scratch.clear();
    await rm(folder, { recursive: true, force: true });
  });

  /** Without DELETE, so that something is refused. */
  function settings(name: string): object {
    const sign = createSigner({ key, algorithm: 'HS256', kid: 'active', expiresIn: 3_600_000 });
    const ns = `agent://${name}`;
    return { endpoint: server.url, ns, token: sign({ ns, ops: ['PUT', 'GET', 'WATCH', 'LEASE'] }) };
  }

  function start(program: string, args: readonly string[], cwd: string): ChildProcess {
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      DENO_DIR: path.join(folder, 'deno-cache'),
    };
    // A process group of its own, so that ending a browser ends all its processes.
    const child = spawn(program, args, {
      cwd,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    running.push(child);
    return child;
  }

  /** What the program prints as its last line, in a project of its own. */
  async function answerOf(name: string, command: readonly string[], lease: string): Promise<unknown> {
    const manifest = { type: 'module', dependencies: { '@agentstate/client': '*' } };
    const project = await packed.copy(name, manifest);
    for (const file of PROJECT_FILES)
      await cp(path.join(__dirname, 'fixtures/runtimes', file), path.join(project, file));
    const [program = '', ...args] = command;
    const told = JSON.stringify({ ...settings(name), lease });
    const { code, out, err } = await output(start(program, [...args, told], project));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return JSON.parse(out);
  }

  /** Tests of a runtime, or one that says why there are none. */
  function runtime(name: keyof typeof PROGRAMS, tests: (program: string) => void): void {
    const program = PROGRAMS[name];
    if (program !== undefined) return describe(name, () => tests(program));
    console.warn(`${name} is left out: ${MISSING[name]}`);
    test.skip('left out: a runtime that is not to be had here', () => undefined);
  }

  describe('Node', () => {
    test.each(['main.mjs', 'main.cjs'])('%s', async (file) => {
      // Node 20 has no `await using` yet.
      expect(await answerOf(`node-${file}`, [process.execPath, file], 'with-lease')).toEqual(WITH_FILES);
    });
  });

  runtime('Bun', (bun) => {
    test.each(['main.mjs', 'main.cjs'])('%s', async (file) => {
      expect(await answerOf(`bun-${file}`, [bun, file], 'await-using')).toEqual(WITH_FILES);
    });
  });

  runtime('Deno', (deno) => {
    // Nothing but the network and the project's own files: not the environment, which the client asks for.
    const allowed = [
      '--no-prompt',
      '--allow-net=127.0.0.1',
      '--allow-read=.',
      '--allow-write=.',
      '--node-modules-dir=manual',
    ];
    test.each(['main.mjs', 'main.cjs'])('%s', async (file) => {
      const command = [deno, 'run', ...allowed, file];
      expect(await answerOf(`deno-${file}`, command, 'await-using')).toEqual(WITH_FILES);
    });
  });

  runtime('workerd', (workerd) => {
    test('a worker', async () => {
      const project = await packed.copy('workerd', {});
      const config = await workerConfig(project, modulesOf(packed.project));
      const child = start(workerd, ['serve', config, '--control-fd=3'], project);
      const port = await listeningPort(child);
      const body = JSON.stringify(settings('workerd'));
      const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body });
      const text = await response.text();
      expect(response.status === 200 ? JSON.parse(text) : text).toEqual(ANSWER);
    });
  });

  runtime('Chromium', (chromium) => {
    test('a page', async () => {
      page.tell(settings('chromium'));
      const profile = path.join(folder, 'chromium-profile');
      // The port keeps it open after the page has loaded. The sandbox is for pages that are not one's own.
      const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
      const child = start(chromium, [...flags, `--user-data-dir=${profile}`, origin], folder);
      const ended = output(child).then(({ code, err }) => ({ error: `it ended with ${code}: ${err}` }));
      expect(await Promise.race([page.answer, ended])).toEqual(ANSWER);
    });
  });
});

/** The package's files for `import`. */
const modulesOf = (project: string): string => path.join(project, 'node_modules/@agentstate/client/dist/esm');

interface Output {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What the process has printed, once it has ended. */
function output(child: ChildProcess): Promise<Output> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** The port that workerd says it listens on, a JSON object a line. */
function listeningPort(child: ChildProcess): Promise<number> {
  const ended = output(child);
  const control = child.stdio[3];
  let text = '';
  return new Promise((resolve, reject) => {
    control?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const port = /"port":\s*(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    void ended.then(({ code, err }) => reject(new Error(`workerd ended with ${code}: ${err}`)), reject);
  });
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.on('close', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await closed;
}
