import path from 'node:path';
import { Command, Option } from 'commander';
import { CommandFailure, type Terminal } from '../terminal';
import { explainReport } from './log-report';

interface VerifyOptions {
  readonly dataDir: string;
  readonly output: 'text' | 'json';
}

const HELP = `
It changes nothing. Stop the node first: a log that is being written to can look torn.
A torn tail is what a crash leaves; the next start cuts it off, and the exit code is 0. Any other damage is 1.

Examples:
  $ agentstate wal verify --data-dir ./data
  $ agentstate wal verify --data-dir /var/lib/agentstate --output json
`;

export function walCommand(terminal: Terminal): Command {
  const verify = new Command('verify')
    .description('read the whole log of a stopped node and check every record')
    .requiredOption('--data-dir <folder>', "the node's DATA_DIR")
    .addOption(new Option('--output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .addHelpText('after', HELP)
    .action((options: VerifyOptions) => verifyDataDir(options, terminal));
  return new Command('wal').description('look into the write-ahead log').addCommand(verify);
}

async function verifyDataDir({ dataDir, output }: VerifyOptions, terminal: Terminal): Promise<void> {
  const { verifyLog } = await import('#wal');
  const folder = path.join(dataDir, 'wal');
  const report = readReport(() => verifyLog(folder), folder);
  terminal.out(output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : explainReport(report));
  if (report.damage !== undefined && report.damage.kind !== 'tornTail') {
    throw new CommandFailure('the log is damaged: see above');
  }
}

function readReport<Report>(read: () => Report, folder: string): Report {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new CommandFailure(`there is no log in ${folder}`);
    if (code === 'EACCES') throw new CommandFailure(`${folder} may not be read by this user`);
    throw error;
  }
}
