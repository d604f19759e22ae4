import { Cluster } from './cluster';
import { hasTypist, introduction, listenTo, sayOn } from './console';
import { type ClusterSettings, USAGE, readSettings } from './settings';

/** The exit code: 0 when the person ended it, 1 when the nodes ended by themselves. */
async function run({ nodes, only }: ClusterSettings): Promise<number> {
  const say = sayOn(process.stdout, nodes);
  const cluster = new Cluster(nodes, say);
  let asked = false;
  const stop = (): void => {
    if (!asked) say('stopping');
    asked = true;
    void cluster.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  for (const node of only === undefined ? nodes : [only]) cluster.start(node);
  const typed = only === undefined && hasTypist(process.stdin);
  if (only === undefined) say(introduction(nodes, cluster, typed));
  if (typed) listenTo(process.stdin, nodes, cluster, say);
  await cluster.allEnded;
  process.stdin.destroy();
  return asked ? 0 : 1;
}

const args = process.argv.slice(2);
const settings = readSettings(args);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(USAGE);
} else if (settings === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  void run(settings).then((code) => {
    process.exitCode = code;
  });
}
