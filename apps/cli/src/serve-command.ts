import { Command } from 'commander';
import type { Terminal } from './terminal';

const HELP = `
The environment configures the node. The most common variables:
  DEV_MODE=true           open without tokens, on loopback only; for trying things out
  CAP_KEY_ACTIVE          base64 of at least 32 random bytes: the key that tokens are signed with
  CAP_KEY_ACTIVE_ID       the name of that key, in a token's header (kid)
  DATA_DIR                where the data lies (default ./data)
  HTTP_HOST, HTTP_PORT    where the API listens (default 0.0.0.0, in DEV_MODE 127.0.0.1; 8080; 0 picks a free one)
  ADMIN_PORT              health, metrics and administration (default 9090)
  TLS_CERT_PATH, TLS_KEY_PATH  HTTPS on both ports; with TLS_CLIENT_CA_PATH clients need a certificate too.
                          The files are followed: a change is used without a restart
  LOG_LEVEL               debug, info, warn or error (default info)

It logs one JSON object a line to stdout, and stops cleanly on SIGTERM or Ctrl-C. SIGUSR2 ahead of a stop hands
leadership over and makes /ready answer 503, while requests are still served.

Examples:
  $ DEV_MODE=true agentstate serve
  $ CAP_KEY_ACTIVE_ID=key-1 CAP_KEY_ACTIVE="$(openssl rand -base64 32)" DATA_DIR=/var/lib/agentstate agentstate serve
`;

export function serveCommand(terminal: Terminal): Command {
  return new Command('serve')
    .description('run a node in the foreground, configured by the environment')
    .addHelpText('after', HELP)
    .action(async () => {
      // Loaded here, so that the other commands need not wait for a whole server.
      const { run } = await import('../../server/src/run.js');
      await run(terminal.environment);
    });
}
