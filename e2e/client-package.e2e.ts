import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '../libs/client/src/index';
import { testConformance } from '../libs/client/testing/conformance-suite';
import { ScriptedServer } from '../libs/client/testing/scripted-server';
import { PackedClient } from './launcher/packed-client';

const run = promisify(execFile);
const ROOT = path.join(__dirname, '..');
const COMPILER = path.join(ROOT, 'node_modules/typescript/bin/tsc');
const PROGRAM = `
const client = new Client(process.argv[2], { token: null });
const obj = await client.put('agent://demo', { id: 'task-1', body: { progress: 0.1 } });
for await (const event of client.watch('agent://demo')) {
  if (event.type === 'PUT') console.log(obj.commit_seq, event.id, event.body);
  break;
}
`;
const TYPED = `
import { Client, NotFoundError, type StoredObject } from '@agentstate/client';
import { fileCheckpoint } from '@agentstate/client/node';

interface Task { readonly status: string }
export async function use(): Promise<StoredObject<Task>> {
  const tasks = new Client({ endpoints: ['http://a', { url: 'http://b', region: 'eu' }] }).namespace<Task>('agent://demo');
  const stored = await tasks.put({ id: 'task-1', body: { status: 'running' } }, { ifNoneMatch: '*' });
  const status: string = stored.body.status;
  for await (const event of tasks.watch({ initial: true, checkpoint: fileCheckpoint('position') })) {
    if (event.type === 'PUT') console.log(status, event.body.status, event.object.tags);
    else console.log(event.reason);
  }
  // @ts-expect-error: a body of another type
  await tasks.put({ id: 'task-1', body: { status: 5 } });
  return tasks.get('task-1').catch((error: unknown) => {
    if (error instanceof NotFoundError) console.log(error.requestId);
    throw error;
  });
}
`;

/** The goal: what is published works where it is installed. The method: pack it, and install it into empty projects. */
describe('the packed client', () => {
  let folder: string;
  let packed: PackedClient;
  let installed: typeof Client;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-package-'));
    packed = await PackedClient.install(folder);
    const load = createRequire(path.join(packed.project, 'x.js'));
    installed = (load('@agentstate/client') as { Client: typeof Client }).Client;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('holds the build and nothing else', async () => {
    const inside = await readdir(path.join(packed.project, 'node_modules/@agentstate/client'), {
      recursive: true,
    });
    const odd = inside.filter((file) => !/^(dist|package\.json|README\.md|LICENSE)/.test(file));
    expect([odd, inside.filter((file) => /spec|testing/.test(file))]).toEqual([[], []]);
    expect(inside).toEqual(
      expect.arrayContaining(['dist/esm/index.d.ts', 'dist/cjs/index.d.ts', 'README.md']),
    );
  });

  test.each([
    ['esm', { type: 'module' }, 'main.js', `import { Client } from '@agentstate/client';${PROGRAM}`],
    [
      'commonjs',
      { type: 'commonjs' },
      'main.js',
      `const { Client } = require('@agentstate/client');(async () => {${PROGRAM}})();`,
    ],
  ])('runs in an empty %s project', async (name, manifest, file, program) => {
    const own = await packed.copy(name, manifest);
    await writeFile(path.join(own, file), program);
    const server = await ScriptedServer.start();
    try {
      const object = { id: 'task-1', ns: 'agent://demo', commit_seq: 7, body: { progress: 0.1 } };
      const event = { type: 'PUT', ns: 'agent://demo', id: 'task-1', commit_seq: 7, ts: 't', object };
      const script = await server.play({
        steps: [{ answer: { json: object } }, { answer: { stream: [{ id: 7, event }, { hold: true }] } }],
      });
      const { stdout } = await run(process.execPath, [file, script.urls[0] ?? ''], { cwd: own });
      expect(stdout).toBe('7 task-1 { progress: 0.1 }\n');
      await script.close();
    } finally {
      await server.stop();
    }
  });

  test.each([
    ['nodenext-esm', { type: 'module' }, 'nodenext', 'nodenext'],
    ['nodenext-commonjs', { type: 'commonjs' }, 'nodenext', 'nodenext'],
    ['bundler', { type: 'module' }, 'esnext', 'bundler'],
  ])('has its types in an empty TypeScript project: %s', async (name, manifest, module, resolution) => {
    const own = await packed.copy(name, manifest);
    await writeFile(path.join(own, 'use.ts'), TYPED);
    // Declarations are checked, too, with nothing but what every project has.
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      types: [],
      module,
      moduleResolution: resolution,
    };
    await writeFile(path.join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    const { stdout } = await run(process.execPath, [COMPILER], { cwd: own }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  describe('conformance', () => testConformance(() => installed));
});
