import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from '../libs/client/src/index';
import { Scratch } from './launcher/scratch';
import { until } from './launcher/until';

const run = promisify(execFile);
const hasPython = spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0;
const ROOT = path.join(__dirname, '..');
const TYPESCRIPT = `import { Client } from '@agentstate/client';

const client = new Client('http://localhost:8080');

// Put some state  
const obj = await client.put('agent://demo', {
  id: 'task-1',
  body: { status: 'running', progress: 0.1 },
  tags: { type: 'task', priority: 'high' }
});
console.log(\`Created object with commit_seq: \${obj.commit_seq}\`);

// Watch for changes
for await (const event of client.watch('agent://demo')) {
  console.log(\`Event: \${event.type} for \${event.id}\`);
  if (event.type === 'PUT') {
    console.log(\`  Body:\`, event.body);
  }
}
`;
const PYTHON = `import agentstate

client = agentstate.Client("http://localhost:8080")

# Put some state
obj = client.put("agent://demo", {
    "id": "task-1",
    "body": {"status": "running", "progress": 0.1},
    "tags": {"type": "task", "priority": "high"}
})
print(f"Created object with commit_seq: {obj.commit_seq}")

# Watch for changes
for event in client.watch("agent://demo"):
    print(f"Event: {event.type} for {event.id}")
    if event.type == "PUT":
        print(f"  Body: {event.body}")
`;
const SDK_PYTHON = path.join(ROOT, 'sdks/python/.venv/bin/python');

/** The goal: the first example of each SDK runs as it is written. The method: run it, with only the port changed. */
describe('the examples of the guide', () => {
  const scratch = new Scratch();
  const running: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await scratch.clear();
  });

  /** Runs a program until it has printed so many lines. */
  async function printed(url: string, lines: number, command: string, args: readonly string[], cwd: string) {
    const child = spawn(command, args, { cwd, env: { PATH: process.env['PATH'], PYTHONUNBUFFERED: '1' } });
    running.push(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const client = new Client(url, { token: null });
    const waitFor = (count: number): Promise<boolean> =>
      until(`line ${count} of ${args.join(' ')}`, async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${err}`);
        // What happens before it watches is not for it: another change is made until one is seen.
        if (out.split('\n').length > 1)
          await client.put('agent://demo', { id: 'task-2', body: { progress: 1 } });
        return out.split('\n').length > count;
      });
    await waitFor(lines);
    return out.split('\n').slice(0, lines);
  }

  async function nodeProject(program: string): Promise<string> {
    const folder = await scratch.folder();
    const installed = path.join(folder, 'node_modules/@agentstate/client');
    await mkdir(installed, { recursive: true });
    const source = path.join(ROOT, 'libs/client');
    await new Promise<void>((resolve, reject) => {
      const build = spawn(process.execPath, [path.join(source, 'build.mjs')], { stdio: 'inherit' });
      build.on('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`the build ended with ${code}`)),
      );
    });
    for (const part of ['dist', 'package.json'])
      await cp(path.join(source, part), path.join(installed, part), { recursive: true });
    await writeFile(path.join(folder, 'main.mjs'), program);
    return folder;
  }

  const onPort = (program: string, url: string): string => program.replace('http://localhost:8080', url);

  test('TypeScript', async () => {
    const { url } = await scratch.start({ dataDir: await scratch.folder() });
    const folder = await nodeProject(onPort(TYPESCRIPT, url));
    const [first, second, third] = await printed(url, 3, process.execPath, ['main.mjs'], folder);
    expect(first).toMatch(/^Created object with commit_seq: \d+$/);
    expect([second, third]).toEqual(['Event: PUT for task-2', '  Body: { progress: 1 }']);
  }, 300_000);

  const python = async (): Promise<void> => {
    await run('bash', [path.join(ROOT, 'sdks/python/check.sh'), 'install']);
    const { url } = await scratch.start({ dataDir: await scratch.folder() });
    const folder = await scratch.folder();
    await writeFile(path.join(folder, 'main.py'), onPort(PYTHON, url));
    const [first, second, third] = await printed(url, 3, SDK_PYTHON, ['main.py'], folder);
    expect(first).toMatch(/^Created object with commit_seq: \d+$/);
    expect([second, third]).toEqual(['Event: PUT for task-2', "  Body: {'progress': 1}"]);
  };
  if (hasPython) test('Python', python, 300_000);
  else test.skip('left out: no Python 3 with venv here (Debian: python3-venv)', python);
});
