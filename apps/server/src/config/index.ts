export { ConfigModule, SERVER_CONFIG } from './config.module';
export { readConfig } from './read-config';
export type { CapabilityKey, LogLevel, ServerConfig } from './server-config';
export { StartError } from './start-error';
