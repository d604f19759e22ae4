import { cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The rules of the runtime as of this day, which decides what a worker finds; later ones only add to it. */
const COMPATIBILITY_DATE = '2025-05-05';
const PROGRAMS = path.join(__dirname, '../fixtures/runtimes');
const WORKER_FILES = ['worker.mjs', 'use-client.mjs', 'await-using.mjs'];

/**
 * Writes a configuration of workerd into `folder`: the worker, with the client beside it as a bundler would put it, and
 * leave to reach this machine. Resolves to the file.
 */
export async function workerConfig(folder: string, client: string): Promise<string> {
  await cp(client, path.join(folder, 'client'), { recursive: true });
  for (const file of WORKER_FILES) await cp(path.join(PROGRAMS, file), path.join(folder, file));
  const scripts = (await readdir(path.join(folder, 'client'), { recursive: true }))
    .filter((file) => file.endsWith('.js'))
    .map((file) => `client/${file}`);
  const modules = [...WORKER_FILES, ...scripts].map(
    (file) => `(name = "${file}", esModule = embed "${file}")`,
  );
  const config = path.join(folder, 'config.capnp');
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      compatibilityDate = "${COMPATIBILITY_DATE}",
      globalOutbound = "machine",
      modules = [${modules.join(',\n        ')}])),
    (name = "machine", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`,
  );
  return config;
}
