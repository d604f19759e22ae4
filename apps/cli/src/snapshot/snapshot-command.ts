import { Command } from 'commander';
import { META_GROUP } from '#contracts';
import type { SnapshotRecord } from '#replication';
import { AdminClient, type ClientOptions } from '../cluster/admin-client';
import { checkParts } from '../data/check-parts';
import { expectFree, snapshotIn, snapshotsIn } from '../data/data-folder';
import { CommandFailure, type Terminal } from '../terminal';
import { exportTo, importFrom } from './move-snapshot';

interface FolderOptions {
  readonly dataDir: string;
}

interface OneOptions extends FolderOptions {
  readonly snapshotId: string;
}

const CREATE_HELP = `
Every node of the cluster takes it at the same entry of the log; any node can be asked: --endpoint, or
AGENTSTATE_ENDPOINT, or http://127.0.0.1:8080. Outside dev mode a token is needed: --token or AGENTSTATE_TOKEN,
granting ADMIN on admin://global. It prints the id.

Examples:
  $ agentstate snapshot create
  $ agentstate snapshot create --endpoint http://10.0.0.2:8080
`;
const LIST_HELP = `
Examples:
  $ agentstate snapshot list --data-dir ./data
`;
const VERIFY_HELP = `
Every file is read and every checksum and digest compared. The node may run meanwhile.

Examples:
  $ agentstate snapshot verify --data-dir ./data
  $ agentstate snapshot verify --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z
`;
const EXPORT_HELP = `
One file that holds everything, to keep elsewhere. It is checked on the way. The node may run meanwhile.

Examples:
  $ agentstate snapshot export --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z --to backup.snapshot
`;
const IMPORT_HELP = `
The file is checked before the snapshot is there. The node must be stopped; the folder may be new.

Examples:
  $ agentstate snapshot import --data-dir ./data --from backup.snapshot
  $ agentstate restore --data-dir ./data --snapshot-id snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z
`;
/** Longer than a node takes for the largest snapshot that it waits for. */
const CREATE_TIMEOUT_MS = 310_000;

export function snapshotCommand(terminal: Terminal): Command {
  return new Command('snapshot')
    .description('take, look at, check, export and import named snapshots')
    .addCommand(createCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(verifyCommand(terminal))
    .addCommand(exportCommand(terminal))
    .addCommand(importCommand(terminal));
}

function createCommand(terminal: Terminal): Command {
  return new Command('create')
    .description('take a snapshot of a running cluster')
    .option('--endpoint <url>', 'a node (default: AGENTSTATE_ENDPOINT, or http://127.0.0.1:8080)')
    .option('--token <token>', 'instead of AGENTSTATE_TOKEN (other users can see a command line)')
    .addHelpText('after', CREATE_HELP)
    .action(async (options: ClientOptions) => {
      const client = new AdminClient(options, terminal);
      const answer = await client.send('POST', '/admin/snapshot', undefined, CREATE_TIMEOUT_MS);
      terminal.out(`${(answer as { readonly snapshot_id: string }).snapshot_id}\n`);
    });
}

function listCommand(terminal: Terminal): Command {
  return offline('list', LIST_HELP)
    .description('the snapshots in a data folder, oldest first')
    .action(async ({ dataDir }: FolderOptions) => {
      for (const record of await snapshotsIn(dataDir)) terminal.out(`${lineOf(record)}\n`);
    });
}

function verifyCommand(terminal: Terminal): Command {
  return offline('verify', VERIFY_HELP)
    .description('read snapshots whole and check every byte')
    .option('--snapshot-id <id>', 'only this one (default: all)')
    .action(async ({ dataDir, snapshotId }: FolderOptions & Partial<OneOptions>) => {
      const all = snapshotId === undefined;
      const records = all ? await snapshotsIn(dataDir) : [await snapshotIn(dataDir, snapshotId)];
      let damaged = 0;
      for (const record of records) {
        try {
          const { rows } = await checkParts(dataDir, record);
          terminal.out(`${record.snapshotId}: ok, ${rows} rows in ${record.parts.length} groups\n`);
        } catch (error) {
          damaged++;
          terminal.out(`${record.snapshotId}: DAMAGED, ${(error as Error).message}\n`);
        }
      }
      if (damaged > 0) throw new CommandFailure(`${damaged} of ${records.length} snapshots are damaged`);
    });
}

function exportCommand(terminal: Terminal): Command {
  return offline('export', EXPORT_HELP)
    .description('write a snapshot into one file')
    .requiredOption('--snapshot-id <id>', 'which')
    .requiredOption('--to <file>', 'the file, which must not be there yet')
    .action(async ({ dataDir, snapshotId, to }: OneOptions & { readonly to: string }) => {
      const record = await snapshotIn(dataDir, snapshotId);
      await checkParts(dataDir, record);
      terminal.out(`${to}: ${await exportTo(dataDir, record, to)} bytes\n`);
    });
}

function importCommand(terminal: Terminal): Command {
  return offline('import', IMPORT_HELP)
    .description('take a snapshot from a file into a data folder')
    .requiredOption('--from <file>', 'what snapshot export wrote')
    .action(async ({ dataDir, from }: FolderOptions & { readonly from: string }) => {
      const { mkdir } = await import('node:fs/promises');
      await mkdir(dataDir, { recursive: true });
      await expectFree(dataDir);
      terminal.out(`${(await importFrom(dataDir, from)).snapshotId}\n`);
    });
}

function offline(name: string, help: string): Command {
  return new Command(name)
    .requiredOption('--data-dir <folder>', "the node's DATA_DIR")
    .addHelpText('after', help);
}

function lineOf({ snapshotId, createdMs, parts }: SnapshotRecord): string {
  const data = parts.filter(({ group }) => group !== META_GROUP);
  const position = Math.max(0, ...data.map(({ commitSeq }) => commitSeq));
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return `${snapshotId}  ${new Date(createdMs).toISOString()}  position ${position}  ${bytes} bytes`;
}
