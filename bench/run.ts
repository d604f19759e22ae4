import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clusterBench } from './cluster/cluster-bench';
import { chooseLoadGenerator, type LoadGenerator } from './load-generator';
import { measureManyObjects } from './many-objects';
import { snapshotBench } from './snapshots';
import { TargetProcess } from './target-process';
import { measureThroughput } from './throughput';
import { measureWatchLag } from './watch-lag';

const USAGE = `usage: npm run bench -- [cluster|snapshots] [--rounds N] [--seconds N] [--full] [--objects N]

  cluster       compare three nodes with three etcd nodes instead
  snapshots     take snapshots of many objects and restore them instead (minutes)

  --rounds N    rounds of each comparison (default 3)
  --seconds N   seconds of each run (default 5)
  --full        also store many objects, kill the node, and time its return (minutes)
  --objects N   how many (default 1000000)
`;

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly objects: number;
  readonly full: boolean;
  readonly what: 'node' | 'cluster' | 'snapshots';
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function bench(settings: Settings): Promise<void> {
  const { rounds, seconds, objects, what } = settings;
  const generator = chooseLoadGenerator();
  const cpu = os.cpus()[0]?.model ?? 'unknown processor';
  print(`Node ${process.version}, ${os.cpus().length} x ${cpu}, load from ${generator.name}`);
  if (what === 'cluster') await clusterBench({ generator, rounds, seconds, print });
  else if (what === 'snapshots') await snapshotBench({ objects, print });
  else await singleNodeBench(generator, settings);
}

async function singleNodeBench(
  generator: LoadGenerator,
  { rounds, seconds, objects, full }: Settings,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const bare = await TargetProcess.bareHandler();
  const server = await TargetProcess.server(path.join(folder, 'first'));
  try {
    print(
      `memory idle: bare handler ${bare.residentMib().toFixed(0)} MiB, server ${server.residentMib().toFixed(0)} MiB`,
    );
    for (const line of await measureThroughput({ generator, bare, server, rounds, secondsPerRun: seconds }))
      print(line);
    for (const line of await measureWatchLag(server, 2 * seconds)) print(line);
    await server.end('SIGTERM');
    if (full) for (const line of await measureManyObjects(path.join(folder, 'many'), objects)) print(line);
  } finally {
    await Promise.all([bare.end('SIGTERM'), server.end('SIGKILL')]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** `undefined` when the command line is wrong. */
function settings(args: readonly string[]): Settings | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '5' },
        objects: { type: 'string', default: '1000000' },
        full: { type: 'boolean', default: false },
      },
    });
    const [rounds, seconds, objects] = [values.rounds, values.seconds, values.objects].map(Number);
    const whole = (value: number | undefined): value is number =>
      Number.isSafeInteger(value) && Number(value) > 0;
    if (!whole(rounds) || !whole(seconds) || !whole(objects)) return undefined;
    const [what = 'node', ...more] = positionals;
    if (more.length > 0 || (what !== 'node' && what !== 'cluster' && what !== 'snapshots')) return undefined;
    return { rounds, seconds, objects, full: values.full, what };
  } catch {
    return undefined;
  }
}

const chosen = settings(process.argv.slice(2));
if (chosen === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  bench(chosen).catch((error: unknown) => {
    process.stderr.write(`the benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
