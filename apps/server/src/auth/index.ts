export type { Access } from './access';
export { AuthModule } from './auth.module';
export { Authorizer } from './authorizer';
export { followKeyFiles } from './follow-key-files';
export type { CapabilityOperation } from './capability';
