import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Command } from 'commander';
import { CommandFailure, type Terminal } from './terminal';

const TIMEOUT_MS = 3_000;
const HELP = `
Asks the node that the same environment configures (ADMIN_PORT, and HTTPS where TLS_CERT_PATH is set), on loopback.
Exit code 0: it is well; 1: it is not, or does not answer. Made for the health checks of containers.

Examples:
  $ agentstate health           the process answers
  $ agentstate health --ready   and can serve: it knows the leaders of its groups and has caught up
`;

/** Probes of containers, in an image that has no other HTTP client. */
export function healthCommand(terminal: Terminal): Command {
  return new Command('health')
    .description('ask the node on this machine whether it is well')
    .option('--ready', 'whether it can serve, not only whether it lives')
    .addHelpText('after', HELP)
    .action(async ({ ready }: { readonly ready?: true }) => {
      const { status, text } = await ask(ready ? '/ready' : '/health', terminal.environment);
      if (status !== 200) throw new CommandFailure(`the node answered ${status}: ${text}`);
      terminal.out(`${text}\n`);
    });
}

function ask(
  path: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly status: number; readonly text: string }> {
  const port = Number(environment['ADMIN_PORT'] || 9090);
  const host =
    environment['HTTP_HOST'] && environment['HTTP_HOST'] !== '0.0.0.0'
      ? environment['HTTP_HOST']
      : '127.0.0.1';
  const where = { host, port, path, timeout: TIMEOUT_MS, agent: false };
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new CommandFailure(`no answer from port ${port} (${why})`));
    // The certificate names the node as others reach it, which is not loopback.
    const sent = environment['TLS_CERT_PATH']
      ? httpsRequest({ ...where, rejectUnauthorized: false })
      : httpRequest(where);
    sent.on('timeout', () => sent.destroy(new Error(`nothing within ${TIMEOUT_MS} ms`)));
    sent.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', (error) => fail(error.message));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.end();
  });
}
