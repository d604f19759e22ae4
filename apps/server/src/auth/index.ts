export type { Access } from './access';
export { AuthModule } from './auth.module';
export { Authorizer } from './authorizer';
export type { CapabilityOperation } from './capability';
