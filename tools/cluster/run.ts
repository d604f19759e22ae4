import { Cluster } from './cluster';
import { findNats, NatsProcess } from './nats';
import { hasTypist, introduction, listenTo, sayOn } from './console';
import { type ClusterSettings, USAGE, readSettings } from './settings';

/** The exit code: 0 when the person ended it, 1 when the nodes ended by themselves. */
async function run({ nodes, natsPort, only }: ClusterSettings): Promise<number> {
  const say = sayOn(process.stdout, nodes);
  const program = process.env['NATS_URL'] ? undefined : await findNats();
  const cluster = new Cluster(nodes, say, program && `nats://127.0.0.1:${natsPort}`);
  const nats =
    program !== undefined && only === undefined
      ? new NatsProcess(program, natsPort, (why) => say(`NATS ended (${why}); watches go on without it`))
      : undefined;
  let asked = false;
  const stop = (): void => {
    if (!asked) say('stopping');
    asked = true;
    void cluster.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  for (const node of only === undefined ? nodes : [only]) cluster.start(node);
  const typed = only === undefined && hasTypist(process.stdin);
  const about = process.env['NATS_URL']
    ? `NATS is at ${process.env['NATS_URL'].replace(/\/\/[^@/]*@/g, '//')}.`
    : nats === undefined
      ? 'Without NATS (Debian: apt-get install nats-server): watches follow the log.'
      : `NATS at 127.0.0.1:${natsPort}, pid ${nats.pid}: kill it, and watches go on.`;
  if (only === undefined) say(introduction(nodes, cluster, { typed, nats: about }));
  if (typed) listenTo(process.stdin, nodes, cluster, say);
  await cluster.allEnded;
  await nats?.stop();
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
