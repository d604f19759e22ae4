import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clusterBench } from './cluster/cluster-bench';
import { moveBench } from './cluster/move-bench';
import { placementsBench } from './cluster/placements-bench';
import { chooseLoadGenerator, type LoadGenerator } from './load-generator';
import { measureManyObjects } from './many-objects';
import { queriesBench } from './queries/queries-bench';
import { snapshotBench } from './snapshots';
import { TargetProcess } from './target-process';
import { measureThroughput } from './throughput';
import { natsBench } from './watch/nats-bench';
import { watchBench } from './watch/watch-bench';
import { measureWatchLag } from './watch/watch-lag';

interface Settings {
  readonly generator: LoadGenerator;
  readonly rounds: number;
  readonly seconds: number;
  /** Absent when the command line did not say: each benchmark has a number of its own. */
  readonly objects: number | undefined;
  readonly full: boolean;
  readonly print: (line: string) => void;
}

interface Bench {
  readonly about: string;
  readonly run: (settings: Settings) => Promise<void>;
}

const MANY_OBJECTS = 1_000_000;
const MOVED_OBJECTS = 100_000;

/** By the word that chooses them; without one it is the single node. */
const BENCHES: Readonly<Record<string, Bench>> = {
  node: {
    about: 'one node beside a handler with nothing behind it (the default)',
    run: singleNodeBench,
  },
  cluster: {
    about: 'three nodes beside three etcd nodes',
    run: clusterBench,
  },
  placements: {
    about: 'writes to three groups that three nodes lead, beside one group',
    run: placementsBench,
  },
  move: {
    about: 'how long writes wait while a namespace of 100000 objects moves',
    run: ({ rounds, objects = MOVED_OBJECTS, print }) => moveBench({ rounds, objects, print }),
  },
  queries: {
    about: 'indexed queries among a million objects, patches, batches, the disk that history takes',
    run: (settings) => queriesBench({ ...settings, objects: settings.objects ?? MANY_OBJECTS }),
  },
  snapshots: {
    about: 'snapshots of many objects at rest and under load, and restores of them',
    run: ({ objects = MANY_OBJECTS, print }) => snapshotBench({ objects, print }),
  },
  nats: {
    about: 'what it costs writes that nobody watches that there is a NATS server',
    run: natsBench,
  },
  watch: {
    about: 'the lag of events to watchers, with NATS and without, and what idle watchers weigh',
    run: ({ seconds, print }) => watchBench({ seconds: 2 * seconds, print }),
  },
};

const USAGE = `usage: npm run bench -- [BENCHMARK] [--rounds N] [--seconds N] [--full] [--objects N]

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(12)}  ${about}`)
  .join('\n')}

  --rounds N    rounds of each comparison (default 3)
  --seconds N   seconds of each run (default 5)
  --full        one node: also store many objects, kill the node, and time its return (minutes)
  --objects N   how many, where a benchmark stores some first
`;

async function singleNodeBench({
  generator,
  rounds,
  seconds,
  objects,
  full,
  print,
}: Settings): Promise<void> {
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
    if (!full) return;
    const many = await measureManyObjects(path.join(folder, 'many'), objects ?? MANY_OBJECTS);
    for (const line of many) print(line);
  } finally {
    await Promise.all([bare.end('SIGTERM'), server.end('SIGKILL')]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the command line asks for; `undefined` when it is wrong. */
function chosenBy(args: readonly string[]): (() => Promise<void>) | undefined {
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
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    const objects = values.objects === undefined ? undefined : Number(values.objects);
    const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
    if (!isWhole(rounds) || !isWhole(seconds) || !isWhole(objects ?? 1)) return undefined;
    const [name = 'node', ...more] = positionals;
    const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (bench === undefined || more.length > 0) return undefined;
    const print = (line: string): void => {
      process.stdout.write(`${line}\n`);
    };
    return async () => {
      const generator = chooseLoadGenerator();
      const cpu = os.cpus()[0]?.model ?? 'unknown processor';
      print(`Node ${process.version}, ${os.cpus().length} x ${cpu}, load from ${generator.name}`);
      await bench.run({ generator, rounds, seconds, objects, full: values.full, print });
    };
  } catch {
    return undefined;
  }
}

const run = chosenBy(process.argv.slice(2));
if (run === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  run().catch((error: unknown) => {
    process.stderr.write(`the benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
