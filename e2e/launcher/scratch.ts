import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from './client';
import { ServerProcess, type ServerOptions } from './server-process';
import { Watcher } from './watcher';

/** What one test starts and stores: all of it is gone after the test, also after a failure. */
export class Scratch {
  private readonly servers: ServerProcess[] = [];
  private readonly watchers: Watcher[] = [];
  private readonly folders: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-e2e-'));
    this.folders.push(folder);
    return folder;
  }

  async start(options: ServerOptions): Promise<ServerProcess> {
    const server = await ServerProcess.start(options);
    this.servers.push(server);
    return server;
  }

  watch(client: Client, search?: string): Watcher {
    const watcher = new Watcher(client, search);
    this.watchers.push(watcher);
    return watcher;
  }

  async clear(): Promise<void> {
    await Promise.all(this.watchers.splice(0).map((watcher) => watcher.stop()));
    await Promise.all(this.servers.splice(0).map((server) => server.kill()));
    for (const folder of this.folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}
