import { serve } from './bootstrap';
import { StartError } from './config';
import { dropStartGarbage } from './start-garbage';

/** A stop that takes longer than this is cut off, so that a supervisor's own limit of 10 s is not reached. */
const STOP_LIMIT_MS = 9_500;

/** Runs a node in the foreground until it is told to stop; ends the process with 0, or 1 after one line on stderr. */
export async function run(environment: NodeJS.ProcessEnv): Promise<void> {
  // A node that waits for its peers has promised nothing yet: it may go at once.
  let stop: (signal: NodeJS.Signals) => void = () => process.exit(0);
  // Listened to without a break: a signal that is under way while its last listener is taken off is lost.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
  // Sent ahead of the stop by whoever restarts nodes: a hook before the stop of a container, for instance.
  let leave: () => void = () => undefined;
  process.on('SIGUSR2', () => leave());
  try {
    const server = await serve(environment);
    dropStartGarbage();
    leave = () => {
      server.logger.info('agentstate hands leadership over and is no longer ready: it will be stopped');
      server.leave().catch((error: unknown) => server.logger.error({ err: error }, 'the hand-over failed'));
    };
    stop = (signal) => {
      server.logger.info({ signal }, 'agentstate is stopping');
      setTimeout(() => {
        server.logger.error({ limit_ms: STOP_LIMIT_MS }, 'the stop took too long and was cut off');
        process.exit(1);
      }, STOP_LIMIT_MS).unref();
      server.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          server.logger.error({ err: error }, 'the stop failed');
          process.exit(1);
        },
      );
    };
    process.once('uncaughtException', (error) => {
      server.logger.fatal({ err: error }, 'an error that nobody handled ends the process');
      process.exit(1);
    });
  } catch (error) {
    const line = error instanceof StartError ? error.message : `the server failed to start: ${String(error)}`;
    process.stderr.write(`agentstate: ${line.replaceAll('\n', ' ')}\n`, () => process.exit(1));
  }
}
