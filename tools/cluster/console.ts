import { readFileSync } from 'node:fs';
import type { Cluster, Say } from './cluster';
import type { ClusterNode } from './settings';

const COLOURS = ['36', '33', '35'];

/** Prints lines with the name of their node before them; in colour only where a person looks on. */
export function sayOn(output: NodeJS.WriteStream, nodes: readonly ClusterNode[]): Say {
  const coloured = output.isTTY && !process.env['NO_COLOR'];
  return (text, node) => {
    if (node === undefined) return void output.write(`${text}\n`);
    const name = `${node.name} |`;
    const colour = COLOURS[nodes.indexOf(node) % COLOURS.length];
    output.write(`${coloured ? `\u001b[${colour}m${name}\u001b[0m` : name} ${text}\n`);
  };
}

/** What a person sees first: where the nodes are, and what to try. */
export function introduction(
  nodes: readonly ClusterNode[],
  cluster: Cluster,
  { typed, nats }: { readonly typed: boolean; readonly nats: string },
): string {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('a cluster has several nodes');
  const objects = (node: ClusterNode): string =>
    `http://127.0.0.1:${node.httpPort}/v1/agent%3A%2F%2Fdemo/objects/task-1`;
  return `AgentState: three nodes in three regions, open to this machine alone. ${nats}

${nodes
  .map(
    (node) =>
      `  ${node.name}  ${node.region.padEnd(14)}  http://127.0.0.1:${node.httpPort}  pid ${cluster.pidOf(node) ?? '-'}`,
  )
  .join('\n')}

Put on one node, read on another, look at all, in a second terminal:

  curl -X PUT ${objects(first)} -H 'content-type: application/json' -d '{"body":{"status":"running"}}'
  curl ${objects(second)}
  bin/agentstate cluster status --endpoint http://127.0.0.1:${first.httpPort}

${typed ? 'Type 1, 2 or 3 and Enter to kill that node, and again to start it. ' : 'kill -9 a pid to see the others go on. '}Ctrl-C stops all.
`;
}

/** Takes what is typed: the number of a node kills it or starts it again. */
export function listenTo(
  input: NodeJS.ReadStream,
  nodes: readonly ClusterNode[],
  cluster: Cluster,
  say: Say,
): void {
  input.setEncoding('utf8');
  input.on('data', (text: string) => {
    for (const word of text.split(/\s+/).filter(Boolean)) {
      const node = nodes[Number(word) - 1];
      if (node === undefined) say(`Type 1 to ${nodes.length} and Enter, or Ctrl-C.`);
      else cluster.toggle(node);
    }
  });
}

/**
 * Whether what is typed is meant for this program. One in the background of a shell that reads from the terminal is
 * stopped by the kernel, so it must not try; where that cannot be told it is taken to be in the foreground.
 */
export function hasTypist(input: NodeJS.ReadStream): boolean {
  if (!input.isTTY) return false;
  try {
    // Behind the name in parentheses: state, parent, process group, session, terminal, the terminal's group (proc(5)).
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}
