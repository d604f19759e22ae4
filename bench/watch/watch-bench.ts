import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { agentstateNodes } from '../cluster/agentstate-nodes';
import type { ThreeNodes } from '../cluster/three-nodes';
import { TargetProcess } from '../target-process';
import { idleWatchers, watchersThatDoNotRead } from './idle-watchers';
import { NATS, NATS_IS_MISSING, startNats } from './start-nats';
import { type LagOptions, lagLines, measureLag } from './watch-lag';

export interface WatchBenchOptions {
  readonly seconds: number;
  readonly print: (line: string) => void;
}

/** Three nodes with watchers spread over them, without and with NATS; then what watchers that do nothing cost. */
export async function watchBench({ seconds, print }: WatchBenchOptions): Promise<void> {
  if (NATS === undefined) print(NATS_IS_MISSING);
  for (const natsProgram of [undefined, ...(NATS === undefined ? [] : [NATS])]) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
    const nats = natsProgram === undefined ? undefined : await startNats(natsProgram);
    let nodes: ThreeNodes | undefined;
    try {
      print(nats === undefined ? '--- three nodes, without NATS' : '--- three nodes, with NATS');
      nodes = await agentstateNodes(folder, { MAX_WATCHERS: '20000', ...nats?.environment });
      await measure(nodes, seconds, print);
    } finally {
      await Promise.all([nodes?.kill(), nats?.process.end('SIGKILL')]);
      await rm(folder, { recursive: true, force: true });
    }
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const server = await TargetProcess.server(folder, { MAX_WATCHERS: '20000' });
  try {
    print('--- one node');
    print(await idleWatchers(server));
    print(await watchersThatDoNotRead(server));
  } finally {
    await server.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(system: ThreeNodes, seconds: number, print: (line: string) => void): Promise<void> {
  const { nodes } = system;
  const writer = nodes[await system.leader()]!;
  const few = { writer, nodes, watchers: 100, putsPerSecond: 500, kinds: 1 };
  const many = { writer, nodes, watchers: 1_000, putsPerSecond: 2_000, kinds: 1_000 };
  const broad = { writer, nodes, watchers: 1_000, putsPerSecond: 20, kinds: 1 };
  // The first seconds measure the compiler.
  await measureLag({ ...few, seconds: 3 });
  for (const load of [few, many, broad]) {
    const options: LagOptions = { ...load, seconds };
    for (const line of lagLines(options, await measureLag(options))) print(line);
  }
}
