import { once } from 'node:events';
import path from 'node:path';
import { Command } from 'commander';
import { META_GROUP, NAMESPACE_PATTERN, type GroupId, type LogEntry, type LogIndex } from '#contracts';
import type { NodeIdentity } from '#replication';
import type { LogReader } from '#wal';
import { claim, expectFree, isThere, placesIn } from '../data/data-folder';
import { sha256 } from '../data/sha256';
import { CommandFailure, type Terminal, UsageError } from '../terminal';

interface DumpOptions {
  readonly dataDir: string;
  readonly ns?: string;
}

const HELP = `
One JSON object a line, as a GET answers it: all live objects of the node, or those of one namespace. The node must
be stopped; of a running one GET /admin/dump gives the same. What the log has beyond the state is taken into account,
and no byte of the folder is changed.

Examples:
  $ agentstate admin dump --data-dir ./data | head -10
  $ agentstate admin dump --data-dir ./data --ns agent://production > production.ndjson
`;
const PIECE_BYTES = 262_144;

export function adminCommand(terminal: Terminal): Command {
  const dump = new Command('dump')
    .description('print the live objects of a stopped node')
    .requiredOption('--data-dir <folder>', "the node's DATA_DIR")
    .option('--ns <namespace>', 'only this namespace')
    .addHelpText('after', HELP)
    .action((options: DumpOptions) => dumpDataDir(options, terminal));
  return new Command('admin').description('look into the data of a stopped node').addCommand(dump);
}

async function dumpDataDir({ dataDir, ns }: DumpOptions, terminal: Terminal): Promise<void> {
  if (ns !== undefined && !NAMESPACE_PATTERN.test(ns)) {
    throw new UsageError(`${JSON.stringify(ns)} is no namespace. Example: --ns agent://production`);
  }
  await expectFree(dataDir);
  if (await isThere(path.join(dataDir, 'restore.json'))) {
    throw new CommandFailure(
      `a restore in ${dataDir} was cut off in its last step: start the node, or repeat the restore, to end it`,
    );
  }
  const { IdentityFile, RocksStateViews } = await import('#storage');
  const { openLogReader } = await import('#wal');
  const { groups: folder, wal } = placesIn(dataDir);
  const identity = await new IdentityFile(dataDir).load();
  if (identity === undefined || !(await isThere(folder)) || !(await isThere(wal))) {
    throw new CommandFailure(`there is no node in ${dataDir}`);
  }
  const lock = await claim(dataDir, 'untouched');
  let log: LogReader | undefined;
  try {
    log = openLogReader(wal);
    const views = new RocksStateViews(folder);
    for (const group of await views.groups()) {
      if (group === META_GROUP) continue;
      const view = await views.open(group);
      try {
        const { OverlaidStore, rollForward } = await import('#replication');
        const { readApplied } = await import('#state-machine');
        const state = new OverlaidStore(view.state);
        const entries = decided(log, group, readApplied(state).appliedIndex, identity);
        await rollForward({ store: state, digest: sha256, entries, target: { kind: 'latest' } });
        await print(state, ns, terminal);
      } finally {
        await view.close();
      }
    }
  } finally {
    log?.close();
    await lock.release();
  }
}

/** What the log has decided beyond the state: all of it where the node decides alone. */
function* decided(
  log: LogReader,
  group: GroupId,
  applied: LogIndex,
  { founder, founders }: NodeIdentity,
): Generator<LogEntry, void> {
  const state = log.groups.get(group);
  if (state === undefined || state.floorIndex > applied) return;
  const through = founder && founders.length === 1 ? state.lastIndex : state.hardState.commit;
  for (const entry of log.entries(group, (applied + 1) as LogIndex)) {
    if (entry.index > through) return;
    yield entry;
  }
}

async function print(
  state: Parameters<typeof import('#state-machine').openDump>[0],
  ns: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const { openDump, readTenancies } = await import('#state-machine');
  const tenancies = readTenancies(state);
  // What is on its way in or was not erased yet is another group's to show.
  const isServed = (name: string): boolean => !['away', 'loading'].includes(tenancies.get(name)?.state ?? '');
  const dump = openDump(state, terminal.nowMs(), { ns, isServed });
  try {
    for (;;) {
      const objects = dump.next(PIECE_BYTES);
      if (objects.length === 0) return;
      const isTaken = terminal.out(objects.map((json) => `${Buffer.from(json).toString()}\n`).join(''));
      if (isTaken === false) await once(process.stdout, 'drain');
    }
  } finally {
    dump.close();
  }
}
