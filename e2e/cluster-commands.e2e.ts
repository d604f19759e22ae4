import { type ChildProcess, execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './launcher/client';
import { freePorts, freePortsInARow } from './launcher/free-ports';
import { Scratch } from './launcher/scratch';

const ROOT = path.join(__dirname, '..');
const DEADLINE_MS = 60_000;
const POLL_MS = 50;

interface Ran {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

interface Status {
  readonly nodes: readonly { readonly node_id: string; readonly alive: boolean; readonly http_url: string }[];
  readonly groups: readonly {
    readonly group_id: number;
    readonly leader: string | null;
    readonly members: readonly { readonly node_id: string; readonly match_index: number | null }[];
    readonly commit_index: number;
  }[];
}

/** `agentstate cluster …`, as a person types it. */
function cluster(url: string, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const program = path.join(ROOT, 'bin/agentstate');
    execFile(process.execPath, [program, 'cluster', ...args, '--endpoint', url], (error, out, err) => {
      resolve({ out, err, code: error === null ? 0 : Number(error.code) });
    });
  });
}

async function statusOf(url: string): Promise<Status | undefined> {
  const { out, code } = await cluster(url, 'status', '--output', 'json');
  return code === 0 ? (JSON.parse(out) as Status) : undefined;
}

async function until<Value>(what: string, ask: () => Promise<Value | undefined | false>): Promise<Value> {
  const deadlineMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadlineMs) throw new Error(`never came: ${what}`);
    await delay(POLL_MS);
  }
}

describe('one node', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('is a cluster of one to agentstate cluster', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const { out, err, code } = await cluster(server.url, 'status');
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toMatch(/^local +node-1 +yes/m);
    expect(out).toMatch(/^1 +any +- +node-1 +\d+ +\d+ +node-1 +local +leader +0$/m);
    // The first leader takes a moment to write the nodes down, and answers no_leader until then.
    const removed = await until('an answer', async () => {
      const ran = await cluster(server.url, 'remove-node', 'node-1');
      return !ran.err.includes('no_leader') && ran;
    });
    expect([removed.code, removed.err]).toEqual([1, expect.stringContaining('last node')]);
    const unknown = await cluster(server.url, 'transfer-leader', '1', 'node-9');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('no node named node-9')]);
  });

  test('that wants tokens says so, and takes one', async () => {
    const key = Buffer.alloc(32, 5).toString('base64');
    const environment = { DEV_MODE: 'false', HTTP_HOST: '127.0.0.1', CAP_KEY_ACTIVE: key };
    const server = await scratch.start({ dataDir: await scratch.folder(), environment });
    const refused = await cluster(server.url, 'status');
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining('token mint --ns admin://global'),
    ]);
    const mint = [
      path.join(ROOT, 'bin/agentstate'),
      'token',
      'mint',
      '--ns',
      'admin://global',
      '--ops',
      'ADMIN',
    ];
    const token = await new Promise<string>((resolve) => {
      execFile(process.execPath, mint, { env: { ...process.env, CAP_KEY_ACTIVE: key } }, (_, out) =>
        resolve(out.trim()),
      );
    });
    expect((await cluster(server.url, 'status', '--token', token)).code).toBe(0);
  });
});

describe('npm run cluster', () => {
  const scratch = new Scratch();
  const runners: ChildProcess[] = [];
  afterEach(async () => {
    await Promise.all(runners.splice(0).map(stop));
    await scratch.clear();
  });

  async function stop(runner: ChildProcess): Promise<number | null> {
    if (runner.exitCode !== null) return runner.exitCode;
    const ended = new Promise<number | null>((resolve) => runner.on('close', resolve));
    runner.kill('SIGINT');
    return ended;
  }

  function start(args: readonly string[]): { readonly runner: ChildProcess; readonly printed: () => string } {
    const program = path.join(ROOT, 'dist/tools/cluster/run.js');
    const runner = spawn(process.execPath, [program, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    runners.push(runner);
    let text = '';
    for (const stream of [runner.stdout, runner.stderr])
      stream.on('data', (chunk) => (text += String(chunk)));
    return { runner, printed: () => text };
  }

  test('forms, outlives a killed node, takes it back, hands leadership over, and stops', async () => {
    const http = await freePortsInARow();
    const [admin, peer] = [http + 3, http + 6];
    const [natsPort = 0] = await freePorts(1);
    const options = [
      '--data-dir',
      await scratch.folder(),
      '--http-port',
      http,
      '--admin-port',
      admin,
      '--peer-port',
      peer,
      '--nats-port',
      natsPort,
    ];
    const { runner, printed } = start(options.map(String));
    const urls = [0, 1, 2].map((at) => `http://127.0.0.1:${http + at}`);
    const [first = '', second = ''] = urls;
    const led = (status: Status | undefined): Status | false =>
      status?.groups.length === 2 && status.groups.every(({ leader }) => leader !== null) && status;
    await until('a leader', async () => led(await statusOf(first)));
    await until('the URLs', async () =>
      (await statusOf(first))?.nodes.every((node) => urls.includes(node.http_url)),
    );

    expect((await new Client(first, 'a').put('x', { body: 1 })).status).toBe(200);
    expect((await new Client(second, 'a').get('x')).body.body).toBe(1);

    const pid = Number(/node-3 .* pid (\d+)/.exec(printed())?.[1]);
    process.kill(pid, 'SIGKILL');
    await until('the report of its death', () =>
      Promise.resolve(printed().includes('node-3 | was ended by SIGKILL')),
    );
    await until('a write without it', async () => (await new Client(first, 'a').put('y', {})).status === 200);
    const without = await statusOf(first);
    expect(without?.nodes.map(({ node_id: name, alive }) => [name, alive]).sort()).toEqual([
      ['node-1', true],
      ['node-2', true],
      ['node-3', false],
    ]);

    const again = start([...options.map(String), 'start', 'node-3']);
    await until('it to catch up', async () => {
      const status = led(await statusOf(first));
      return (
        status &&
        status.nodes.every(({ alive }) => alive) &&
        status.groups.every(({ members, commit_index: commit }) =>
          members.every(({ match_index: match }) => match !== null && match >= commit),
        )
      );
    });

    await until('leadership to move', async () => {
      if ((await cluster(second, 'transfer-leader', '1', 'node-3')).code !== 0) return false;
      return (await statusOf(first))?.groups.find(({ group_id: group }) => group === 1)?.leader === 'node-3';
    });

    expect(await stop(again.runner)).toBe(0);
    expect(await stop(runner)).toBe(0);
    expect(printed()).toMatch(/node-1 \| stopped/);
  });
});
