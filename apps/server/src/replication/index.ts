export { type EngineFactory, createEngine } from './create-engine';
export { ENGINE, ReplicationModule } from './replication.module';
