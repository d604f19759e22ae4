import { Command } from 'commander';
import type { Terminal } from '../terminal';
import { inspectCommand } from './inspect-command';
import { mintCommand } from './mint-command';

export function tokenCommand(terminal: Terminal): Command {
  return new Command('token')
    .description('make capability tokens and look into them')
    .addCommand(mintCommand(terminal))
    .addCommand(inspectCommand(terminal));
}
