import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ScriptedServer } from '../../testing/scripted-server.js';
import { Client } from '../index.js';
import { fileCheckpoint } from '../node.js';

/** The goal: a program that ends goes on where it was. The method: two watches, one file between them. */
describe('checkpoint', () => {
  let server: ScriptedServer;
  let folder: string;
  beforeAll(async () => {
    server = await ScriptedServer.start();
    folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-client-'));
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (id: string, seq: number): object => ({
    id: seq,
    event: { type: 'PUT', ns: 'n', id, commit_seq: seq, ts: 't', object: { id, body: null } },
  });

  test('what was processed does not come again, what was not does', async () => {
    const file = path.join(folder, 'position');
    const script = await server.play({
      steps: [
        { answer: { stream: [put('a', 1), put('b', 2), put('c', 3), { hold: true }] } },
        { expect: { headers: { 'last-event-id': '1' } }, answer: { stream: [put('b', 2), { hold: true }] } },
      ],
    });
    const client = new Client({ endpoints: script.urls });
    const seen: string[] = [];
    for await (const { id } of client.watch('n', {
      checkpoint: fileCheckpoint(file),
      checkpointIntervalMs: 0,
    })) {
      seen.push(id);
      // Left while b is being processed: b is not done.
      if (id === 'b') break;
    }
    expect(await readFile(file, 'utf8')).toBe('1\n');
    for await (const { id } of client.watch('n', { checkpoint: fileCheckpoint(file), initial: true })) {
      seen.push(id);
      break;
    }
    expect(seen).toEqual(['a', 'b', 'b']);
    expect((await script.close()).problems).toEqual([]);
  });

  test('a file that holds something else is told, not begun anew', async () => {
    const file = path.join(folder, 'other');
    await writeFile(file, 'hello');
    const events = new Client('http://127.0.0.1:1').watch('n', { checkpoint: fileCheckpoint(file) });
    await expect(events.next()).rejects.toThrow('does not hold a position');
  });
});
