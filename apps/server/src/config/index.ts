export { ConfigModule, SERVER_CONFIG } from './config.module';
export { FileWatch } from './file-watch';
export { capabilityKeyFiles, readCapabilityKeys, readConfig } from './read-config';
export type { CapabilityKey, LogLevel, ServerConfig, TlsFiles } from './server-config';
export { StartError } from './start-error';
