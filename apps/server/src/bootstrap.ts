import { type Application, createApplication } from './application';
import { followKeyFiles } from './auth';
import { type ServerConfig, readConfig } from './config';
import { Edge } from './edge';
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
  const edge = new Edge(config, logger);
  try {
    // Before the data is touched: a taken port is found first, and probes are answered however long the rest takes.
    const { httpPort, adminPort } = await edge.listen();
    const { httpHost: host, nodeId, region, devMode } = config;
    // Not by the names of the start line, whose readers send requests at once.
    const listening = { api: `${host}:${httpPort}`, admin: `${host}:${adminPort}` };
    logger.info(listening, 'agentstate answers probes and is starting');
    const application = await createApplication(edge, createEngine);
    const unfollowKeys = followKeyFiles(environment, application.authorizer, logger);
    edge.lifecycle.started();
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
      edge.lifecycle.isLeaving = true;
      await application.engine.handOver();
    };
    return { config, logger, httpPort, adminPort, leave, stop: stopOnce(edge, application, unfollowKeys) };
  } catch (error) {
    await edge.abandon();
    throw error;
  }
}

/** Stops accepting, ends watches and takes no more writes, lets running requests end, then closes the rest. */
function stopOnce(edge: Edge, { nest, engine }: Application, unfollowKeys: () => void): () => Promise<void> {
  const { face, lifecycle, logger } = edge;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    lifecycle.isDraining = true;
    unfollowKeys();
    logger.debug('the server is stopping');
    const cut = setTimeout(() => face.destroyConnections(), REQUEST_GRACE_MS);
    const closed = edge.close();
    await engine.stop();
    await closed;
    clearTimeout(cut);
    await nest.close();
    logger.debug('the server has stopped');
  };
  return () => (stopped ??= stop());
}
