import path from 'node:path';
import { Command, Option } from 'commander';
import { META_GROUP } from '#contracts';
import { claim, expectFree, isThere } from '../data/data-folder';
import { CommandFailure, type Terminal } from '../terminal';
import { ProgressBar } from './progress-bar';
import { type Restored, buildRestored } from './restore-build';
import { planRestore, type RestorePlan } from './restore-plan';
import { readTarget, type TargetOptions } from './restore-target';

interface RestoreOptions extends TargetOptions {
  readonly dataDir: string;
  readonly snapshotId: string;
  readonly nodeId?: string;
  readonly ignoreDamagedLog?: true;
  readonly yes?: true;
}

const HELP = `
The node must be stopped. Every checksum is verified before anything is changed, and a failure leaves the folder as
it was. What was there stays in <folder>/before-restore-<time>/ until you remove it.

The restored node is a cluster of its own, with a new id: other nodes join it with emptied folders. Positions go on
beyond every one ever given out, so a watcher that had seen more is told (410 compacted) and starts over.

Without --to-seq, --to-time or --to the result is exactly the snapshot. On a terminal it asks before it replaces
anything, unless --yes is given.

Examples:
  $ agentstate restore --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z
  $ agentstate restore --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z --to latest
  $ agentstate restore --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z --to-time 2026-11-23T09:00:00Z
  $ agentstate restore --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z --to-seq 12345 --yes
`;

export function restoreCommand(terminal: Terminal): Command {
  return new Command('restore')
    .description('put a stopped node back to a snapshot, or to any moment after it')
    .requiredOption('--data-dir <folder>', "the node's DATA_DIR")
    .requiredOption('--snapshot-id <id>', 'the snapshot to begin from (agentstate snapshot list shows them)')
    .option('--to-seq <position>', 'roll forward to this commit_seq, inclusive')
    .option('--to-time <time>', 'roll forward through what had happened by this time (RFC 3339)')
    .addOption(new Option('--to <where>', 'roll forward to the end of the log').choices(['latest']))
    .option('--node-id <name>', 'NODE_ID of the restored node (default: that of the node there)')
    .option('--ignore-damaged-log', 'restore exactly the snapshot although the log cannot be read')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', HELP)
    .action((options: RestoreOptions) => restore(options, terminal));
}

async function restore(options: RestoreOptions, terminal: Terminal): Promise<void> {
  const { dataDir, snapshotId, nodeId, ignoreDamagedLog = false } = options;
  const target = readTarget(options);
  await expectFree(dataDir);
  await endEarlierRestore(dataDir, terminal);
  const bar = new ProgressBar(terminal);
  const plan = await planRestore({ dataDir, snapshotId, target, nodeId, ignoreDamagedLog }, (bytes) =>
    bar.show(`checking, ${Math.round(bytes / 1_000_000)} MB`, 0),
  ).finally(() => bar.end());
  terminal.out(explainPlan(plan));
  await askFirst(options, terminal);
  const { kept, restored } = await replace(plan, terminal, bar);
  terminal.out(explainRestored(restored, kept));
}

/** A restore that was cut off in the middle of its last step is ended before anything is looked at. */
async function endEarlierRestore(dataDir: string, terminal: Terminal): Promise<void> {
  const { RestoreSwitch } = await import('#snapshots');
  if (!(await isThere(path.join(dataDir, 'restore.json')))) return;
  const lock = await claim(dataDir);
  try {
    const kept = await new RestoreSwitch(dataDir).resume();
    if (kept !== undefined) terminal.err(`an earlier restore that was cut off is done now; see ${kept}\n`);
  } finally {
    await lock.release();
  }
}

async function askFirst({ dataDir, yes }: RestoreOptions, { person }: Terminal): Promise<void> {
  if (yes === true || person === undefined) return;
  const answer = await person.ask(`Replace the data in ${dataDir}? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('nothing was changed');
}

async function replace(
  plan: RestorePlan,
  terminal: Terminal,
  bar: ProgressBar,
): Promise<{ readonly kept: string; readonly restored: Restored }> {
  const { BUILDING_FOLDER, RestoreSwitch, nodeFolders } = await import('#snapshots');
  const { dataDir } = plan;
  const lock = await claim(dataDir);
  try {
    const folders = new RestoreSwitch(dataDir);
    await folders.resume();
    await nodeFolders.makeFolder(dataDir, BUILDING_FOLDER);
    const nowMs = terminal.nowMs();
    const restored = await buildRestored(plan, path.join(dataDir, BUILDING_FOLDER), {
      nowMs,
      onProgress: (what, share) => bar.show(what, share),
    }).catch(async (error: unknown) => {
      await nodeFolders.remove(dataDir, BUILDING_FOLDER);
      throw error;
    });
    return { kept: await folders.begin(nowMs), restored };
  } finally {
    bar.end();
    await lock.release();
  }
}

function explainPlan(plan: RestorePlan): string {
  const { record, identity, target, dataDir, damagedLog } = plan;
  const where = {
    snapshot: 'exactly the snapshot',
    latest: 'the snapshot, and then the log to its end',
    seq: `the snapshot, and then the log to position ${target.kind === 'seq' ? target.seq : 0}`,
    time: `the snapshot, and then the log to ${target.kind === 'time' ? new Date(target.timeMs).toISOString() : ''}`,
  }[target.kind];
  const parts = record.parts.map(
    ({ group, index, commitSeq, rows }) =>
      `  group ${group}: at entry ${index}, position ${commitSeq}, ${rows} rows, all checksums sound`,
  );
  return [
    `snapshot ${record.snapshotId} of ${new Date(record.createdMs).toISOString()}, taken on ${record.node.name}`,
    ...parts,
    `restores ${where}`,
    identity === undefined
      ? `into ${dataDir}, where there is no node`
      : `in the place of node ${identity.name} in ${dataDir}; what is there is kept in before-restore-<time>`,
    ...(damagedLog === undefined ? [] : [`the log there is damaged and is not used: ${damagedLog}`]),
    '',
  ].join('\n');
}

function explainRestored({ identity, groups, rolled }: Restored, kept: string): string {
  const data = groups.filter(({ group }) => group !== META_GROUP);
  return [
    ...rolled.map(
      ({ group, entries, commitSeq, timeMs }) =>
        `group ${group}: ${entries} entries of the log, to position ${commitSeq} of ${new Date(timeMs).toISOString()}`,
    ),
    `restored as node ${identity.name}, alone in the new cluster ${identity.clusterId}`,
    ...data.map(({ group, commitSeq }) => `group ${group} goes on with position ${commitSeq + 1}`),
    `what was there is in ${kept}`,
    '',
  ].join('\n');
}
