import { Client } from './launcher/client';
import { Scratch } from './launcher/scratch';

/** The goal: a stranger's first hour works. The method: one real server, used as its clients use it. */
describe('a single node', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('stores an object, gives it back, and has it still after a restart', async () => {
    const dataDir = await scratch.folder();
    const first = await scratch.start({ dataDir });
    const before = new Client(first.url, 'agent://demo');
    const object = {
      type: 'task',
      body: { status: 'running', text: 'Ü\u2028"\\' },
      tags: { priority: 'high' },
    };
    const stored = await before.put('task-1', object);
    expect(stored).toMatchObject({ status: 200, body: { ...object, id: 'task-1', ns: 'agent://demo' } });
    expect(stored.headers.get('etag')).toBe(`"${stored.body.commit_seq}"`);
    expect((await before.get('task-1')).body).toEqual(stored.body);
    expect(await first.stop()).toEqual({ code: 0, signal: null });

    const second = await scratch.start({ dataDir });
    const after = new Client(second.url, 'agent://demo');
    expect((await after.get('task-1')).body).toEqual(stored.body);
    const next = await after.put('task-2', {});
    expect(next.body.commit_seq).toBeGreaterThan(stored.body.commit_seq);
    expect((await after.list()).body.map(({ id }) => id)).toEqual(['task-1', 'task-2']);
  });

  test('refuses a write that stands on an old version, and a second creation', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const client = new Client(server.url, 'agent://demo');
    const one = (await client.put('a', { body: 1 })).body.commit_seq;
    const two = (await client.put('a', { body: 2 }, { 'if-match': `"${one}"` })).body.commit_seq;
    expect(await client.put('a', { body: 3 }, { 'if-match': `"${one}"` })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed', current_commit_seq: two },
    });
    expect(await client.put('a', { body: 3 }, { 'if-none-match': '*' })).toMatchObject({ status: 412 });
    expect((await client.get('a')).body.body).toBe(2);
  });

  test('forgets a deleted object', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const client = new Client(server.url, 'agent://demo');
    await client.put('a', {});
    expect((await client.remove('a')).status).toBe(204);
    expect(await client.get('a')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await client.remove('a')).status).toBe(404);
  });

  test('tells a watcher of every change, and one that comes back of what it missed', async () => {
    const dataDir = await scratch.folder();
    const first = await scratch.start({ dataDir });
    const client = new Client(first.url, 'agent://demo');
    const watcher = scratch.watch(client);
    await watcher.until('its first bookmark', () => watcher.bookmarks.length > 0);
    await client.put('a', { body: 1 });
    await client.put('b', { body: 2 });
    await client.remove('a');
    await watcher.until('three changes', () => watcher.changes.length === 3);
    expect(watcher.changes).toMatchObject([
      { type: 'PUT', id: 'a', object: { body: 1 } },
      { type: 'PUT', id: 'b', object: { body: 2 } },
      { type: 'DELETE', id: 'a', reason: 'delete' },
    ]);

    // The port stays the same, so that the watcher finds the node again by itself.
    await first.stop();
    await scratch.start({ dataDir, environment: { HTTP_PORT: `${first.httpPort}` } });
    expect((await client.put('c', { body: 4 })).status).toBe(200);
    await watcher.until('the change after the restart', () => watcher.changes.length >= 4);
    const stillThere = scratch.watch(client, '?from_commit=1');
    await stillThere.until('all changes', () => stillThere.changes.length >= 4);
    expect(stillThere.changes).toEqual(watcher.changes);
  });

  test('is alive and ready, and counts what it did, on both ports', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    await new Client(server.url, 'agent://demo').put('a', {});
    for (const url of [server.url, server.adminUrl]) {
      const health = await fetch(`${url}/health`);
      expect([health.status, await health.text()]).toEqual([200, 'ok']);
      expect((await fetch(`${url}/ready`)).status).toBe(200);
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^agentstate_ops_total\{.*\} [1-9]/m);
    }
  });

  test('stops cleanly on Ctrl-C while a watch is open', async () => {
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const watcher = scratch.watch(new Client(server.url, 'agent://demo'));
    await watcher.until('its first bookmark', () => watcher.bookmarks.length > 0);
    expect(await server.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });

  test('does not start without a key unless it is told to be open', async () => {
    const dataDir = await scratch.folder();
    await expect(scratch.start({ dataDir, environment: { DEV_MODE: 'false' } })).rejects.toThrow(
      'CAP_KEY_ACTIVE',
    );
  });
});
