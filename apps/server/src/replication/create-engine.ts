import type { Engine } from '#replication';
import { type ServerConfig, StartError } from '../config';
import type { Logger } from '../logging';
import type { EngineObserver } from '../metrics';

/** Makes and starts the engine of a node; rejects with a `StartError` when its data or address cannot be used. */
export type EngineFactory = (
  config: ServerConfig,
  observer: EngineObserver,
  logger: Logger,
) => Promise<Engine>;

export const createEngine: EngineFactory = () =>
  Promise.reject(new StartError('this build has no engine: the replication library is not part of it.'));
