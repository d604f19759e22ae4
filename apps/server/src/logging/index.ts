export { LOGGER, type Logger, createLogger } from './logger';
export { LoggingModule } from './logging.module';
export { NestLogger } from './nest-logger';
