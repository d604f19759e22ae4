import type { ServerConfig } from './server-config';
import { StartError } from './start-error';

/**
 * What this version does not do yet. A server that ignored these would run without what its operator relies on,
 * so it does not start. A feature that is built takes its line out.
 */
const UNSUPPORTED: readonly (readonly [name: string, isSet: (config: ServerConfig) => boolean])[] = [
  ['API_WORKERS', (config) => config.apiWorkers > 0],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', (config) => config.otlpEndpoint !== undefined],
];

export function refuseUnsupportedVariables(config: ServerConfig): void {
  for (const [name, isSet] of UNSUPPORTED) {
    if (isSet(config)) throw new StartError(`${name} is not supported by this version: leave it unset.`);
  }
}
