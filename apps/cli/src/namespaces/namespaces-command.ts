import { Command } from 'commander';
import { AdminClient } from '../cluster/admin-client';
import { type AskingOptions, WHERE, asking, print } from '../cluster/asking';
import type { Terminal } from '../terminal';
import { type Namespace, explainNamespaces } from './namespace-table';
import { type SettingOptions, settingsOf } from './namespace-settings';

const LIST_HELP = `${WHERE}
Only namespaces that were configured are listed: all others are in the default placement.

Examples:
  $ agentstate namespaces list
  $ agentstate namespaces list --output json
`;
const GET_HELP = `${WHERE}
Examples:
  $ agentstate namespaces get agent://demo
`;
const SET_HELP = `${WHERE}
Settings are put whole: what is left out is as if it were never set. A namespace that has data moves with it to where
its settings say; its writes wait meanwhile, for a moment.

Examples:
  $ agentstate namespaces set agent://demo --regions eu-west-1,eu-central-1 --replicas 3
  $ agentstate namespaces set agent://demo --regions eu-west-1 --read-replicas eu-west-1=1
  $ agentstate namespaces set agent://demo --max-qps 500 --max-bytes 65536
  $ agentstate namespaces set agent://demo --index '$.status' --index '$.owner.id'
`;
const DELETE_HELP = `${WHERE}
The namespace goes back to the default placement, with its data: it is pinned to no region any more.

Examples:
  $ agentstate namespaces delete agent://demo
`;

export function namespacesCommand(terminal: Terminal): Command {
  return new Command('namespaces')
    .description('pin namespaces to regions, and bound them')
    .addCommand(listCommand(terminal))
    .addCommand(getCommand(terminal))
    .addCommand(setCommand(terminal))
    .addCommand(deleteCommand(terminal));
}

function listCommand(terminal: Terminal): Command {
  return asking('list', LIST_HELP)
    .description('the namespaces that were configured')
    .action(async (options: AskingOptions) => {
      const all = (await new AdminClient(options, terminal).send('GET', '/admin/namespaces')) as Namespace[];
      print(terminal, options, all, explainNamespaces(all));
    });
}

function getCommand(terminal: Terminal): Command {
  return asking('get', GET_HELP)
    .description('what is set for one namespace, and where it is')
    .argument('<namespace>', 'its name')
    .action(async (ns: string, options: AskingOptions) => {
      const one = (await new AdminClient(options, terminal).send('GET', pathOf(ns))) as Namespace;
      print(terminal, options, one, explainNamespaces([one]));
    });
}

function setCommand(terminal: Terminal): Command {
  return asking('set', SET_HELP)
    .description('put the settings of a namespace')
    .argument('<namespace>', 'its name')
    .option('--regions <list>', 'regions that alone may hold it, with commas between (default: any)')
    .option('--replicas <number>', 'voting replicas (default: DEFAULT_REPLICAS of the cluster)')
    .option('--read-replicas <list>', 'further replicas that only answer reads: region=number, with commas')
    .option('--max-qps <number>', 'requests a second at each node')
    .option('--max-bytes <number>', "bytes of one request's body")
    .option('--history-retention-seconds <number>', 'how long history is kept')
    .option('--history-retention-commits <number>', 'how many commits history reaches back')
    .option('--index <path>', 'a place in bodies that queries find objects by; may be given again', again)
    .action(async (ns: string, options: AskingOptions & SettingOptions) => {
      const settings = settingsOf(options);
      const one = (await new AdminClient(options, terminal).send('PUT', pathOf(ns), settings)) as Namespace;
      print(terminal, options, one, explainNamespaces([one]));
    });
}

function deleteCommand(terminal: Terminal): Command {
  return asking('delete', DELETE_HELP)
    .description('take the settings of a namespace back; its data stays')
    .argument('<namespace>', 'its name')
    .action(async (ns: string, options: AskingOptions) => {
      await new AdminClient(options, terminal).send('DELETE', pathOf(ns));
      print(terminal, options, {}, `${ns} is in the default placement\n`);
    });
}

function again(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function pathOf(ns: string): string {
  return `/admin/namespaces/${encodeURIComponent(ns)}`;
}
