import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clusterBench } from './cluster/cluster-bench';
import { moveBench } from './cluster/move-bench';
import { placementsBench } from './cluster/placements-bench';
import { chooseLoadGenerator, type LoadGenerator } from './load-generator';
import { measureManyObjects } from './many-objects';
import { TargetProcess } from './target-process';
import { measureThroughput } from './throughput';
import { measureWatchLag } from './watch-lag';

const USAGE = `usage: npm run bench -- [cluster|move|placements] [--rounds N] [--seconds N] [--full] [--objects N]

  cluster       compare three nodes with three etcd nodes instead
  move          how long writes wait while a namespace of 100000 objects (or --objects N) moves
  placements    writes to three groups that three nodes lead, beside one group

  --rounds N    rounds of each comparison (default 3)
  --seconds N   seconds of each run (default 5)
  --full        also store many objects, kill the node, and time its return (minutes)
  --objects N   how many (default 1000000; 100000 for move)
`;

const WHAT = ['one', 'cluster', 'move', 'placements'] as const;
type What = (typeof WHAT)[number];

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly objects: number;
  readonly full: boolean;
  readonly what: What;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function bench(settings: Settings): Promise<void> {
  const { rounds, seconds } = settings;
  const generator = chooseLoadGenerator();
  const cpu = os.cpus()[0]?.model ?? 'unknown processor';
  print(`Node ${process.version}, ${os.cpus().length} x ${cpu}, load from ${generator.name}`);
  if (settings.what === 'cluster') await clusterBench({ generator, rounds, seconds, print });
  else if (settings.what === 'move') await moveBench({ rounds, objects: settings.objects, print });
  else if (settings.what === 'placements') await placementsBench({ rounds, seconds, print });
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
        objects: { type: 'string' },
        full: { type: 'boolean', default: false },
      },
    });
    const what = WHAT.find((one) => one === (positionals[0] ?? 'one'));
    const preset = what === 'move' ? 100_000 : 1_000_000;
    const [rounds, seconds, objects] = [values.rounds, values.seconds, values.objects ?? preset].map(Number);
    const whole = (value: number | undefined): value is number =>
      Number.isSafeInteger(value) && Number(value) > 0;
    if (!whole(rounds) || !whole(seconds) || !whole(objects)) return undefined;
    if (what === undefined || positionals.length > 1) return undefined;
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
