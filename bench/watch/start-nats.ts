import { existsSync } from 'node:fs';
import { freePorts } from '../cluster/free-ports';
import { TargetProcess } from '../target-process';

/** Where Debian's package puts it: not always on a user's path. */
export const NATS = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'].find(
  existsSync,
);

export const NATS_IS_MISSING = 'NATS is not installed (apt-get install nats-server)';

/** A NATS server on a free port of the loopback, and what nodes are told of it. */
export async function startNats(program: string) {
  const [port = 0, health = 0] = await freePorts(2);
  const args = ['--addr', '127.0.0.1', '--port', `${port}`, '--http_port', `${health}`];
  const process = await TargetProcess.program(program, args, { port: health, healthPath: '/healthz' });
  return { process, environment: { NATS_URL: `nats://127.0.0.1:${port}` } };
}
