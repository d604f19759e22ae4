import { Command } from 'commander';
import { type Terminal, UsageError } from '../terminal';
import { AdminClient } from './admin-client';
import { type AskingOptions as Options, WHERE, asking, print } from './asking';
import { type ClusterStatus, explainStatus } from './cluster-status';

const STATUS_HELP = `${WHERE}
LAG is how many committed entries a member is not yet known to have; only a leader knows.
Exit code 1 when the node gives no answer; a cluster with dead nodes is still an answer.

Examples:
  $ agentstate cluster status
  $ agentstate cluster status --endpoint http://10.0.0.2:8080
  $ AGENTSTATE_TOKEN="$(agentstate token mint --ns admin://global --ops ADMIN)" agentstate cluster status
  $ agentstate cluster status --output json
`;
const REMOVE_HELP = `${WHERE}
The node gives up its replicas one safe step at a time and then stops. It never comes back under its old identity:
started again with an emptied folder and CLUSTER_JOIN it is a new member.

Examples:
  $ agentstate cluster remove-node node-3
  $ agentstate cluster remove-node node-3 --endpoint http://10.0.0.2:8080
`;
const TRANSFER_HELP = `${WHERE}
Only a voter of the group that has kept up takes over; otherwise the leader stays.

Examples:
  $ agentstate cluster transfer-leader 1 node-2
  $ agentstate cluster transfer-leader 0 node-2 --output json
`;

export function clusterCommand(terminal: Terminal): Command {
  return new Command('cluster')
    .description('look at a running cluster, and change who is in it')
    .addCommand(statusCommand(terminal))
    .addCommand(removeCommand(terminal))
    .addCommand(transferCommand(terminal));
}

function statusCommand(terminal: Terminal): Command {
  return asking('status', STATUS_HELP)
    .description('the nodes, the groups, who leads and who lags')
    .action(async (options: Options) => {
      const status = (await new AdminClient(options, terminal).send(
        'GET',
        '/admin/cluster',
      )) as ClusterStatus;
      print(terminal, options, status, explainStatus(status));
    });
}

function removeCommand(terminal: Terminal): Command {
  return asking('remove-node', REMOVE_HELP)
    .description('take a node out of the cluster')
    .argument('<node>', 'its NODE_ID')
    .action(async (node: string, options: Options) => {
      const path = `/admin/cluster/nodes/${encodeURIComponent(node)}`;
      const removed = await new AdminClient(options, terminal).send('DELETE', path);
      print(
        terminal,
        options,
        removed,
        `${node} is leaving; agentstate cluster status shows it until it is gone\n`,
      );
    });
}

function transferCommand(terminal: Terminal): Command {
  return asking('transfer-leader', TRANSFER_HELP)
    .description('ask the leader of a group to hand over')
    .argument('<group>', 'the number of the group, as status shows it')
    .argument('<node>', 'the NODE_ID of the node that shall lead')
    .action(async (group: string, node: string, options: Options) => {
      if (!/^\d{1,10}$/.test(group)) {
        throw new UsageError(
          `${JSON.stringify(group)} is no number of a group. Example: transfer-leader 1 node-2`,
        );
      }
      const client = new AdminClient(options, terminal);
      const question = { group_id: Number(group), node_id: node };
      const asked = await client.send('POST', '/admin/cluster/transfer-leader', question);
      print(
        terminal,
        options,
        asked,
        `${node} was asked to lead group ${group}; agentstate cluster status says who does\n`,
      );
    });
}
