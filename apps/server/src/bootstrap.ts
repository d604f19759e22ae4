import { type Application, createApplication } from './application';
import { followKeyFiles } from './auth';
import { type ServerConfig, readConfig } from './config';
import { closeServer, listen } from './http/listen';
import { type Logger, createLogger } from './logging';
import { type EngineFactory, createEngine as createNodeEngine } from './replication';

/** How long running requests may take once the server stops, before their connections are cut. */
const REQUEST_GRACE_MS = 3_000;

/** A node that answers. `stop` is idempotent and resolves when everything is flushed and closed. */
export interface RunningServer {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly httpPort: number;
  readonly adminPort: number;
  /** Says that it is not ready and hands leadership over, and goes on answering until it is stopped. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a node as the environment says and resolves once it answers. Rejects with a `StartError`, whose message
 * is the one line for the operator, when it cannot.
 */
export async function serve(
  environment: NodeJS.ProcessEnv,
  createEngine: EngineFactory = createNodeEngine,
): Promise<RunningServer> {
  const config = readConfig(environment);
  const logger = createLogger(config.logLevel);
  const application = await createApplication(config, logger, createEngine);
  const unfollowKeys = followKeyFiles(environment, application.authorizer, logger);
  const stop = stopOnce(application, logger, unfollowKeys);
  try {
    const { apiServer, adminServer } = application.face;
    const host = config.httpHost;
    const httpPort = await listen(apiServer, { host, port: config.httpPort, variable: 'HTTP_PORT' });
    const adminPort = await listen(adminServer, { host, port: config.adminPort, variable: 'ADMIN_PORT' });
    const { nodeId, region, devMode } = config;
    logger.info(
      {
        http_host: host,
        http_port: httpPort,
        admin_port: adminPort,
        node_id: nodeId,
        region,
        dev_mode: devMode,
      },
      'agentstate is serving',
    );
    const leave = async (): Promise<void> => {
      application.lifecycle.isLeaving = true;
      await application.engine.handOver();
    };
    return { config, logger, httpPort, adminPort, leave, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stops accepting, ends watches and takes no more writes, lets running requests end, then closes the rest. */
function stopOnce(
  { nest, face, engine, lifecycle, tls }: Application,
  logger: Logger,
  unfollowKeys: () => void,
): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    lifecycle.isDraining = true;
    tls?.close();
    unfollowKeys();
    logger.debug('the server is stopping');
    const cut = setTimeout(() => face.destroyConnections(), REQUEST_GRACE_MS);
    const closed = [face.apiServer, face.adminServer].map((server) => closeServer(server));
    await engine.stop();
    await Promise.all(closed);
    clearTimeout(cut);
    await nest.close();
    logger.debug('the server has stopped');
  };
  return () => (stopped ??= stop());
}
