export { ReloadingTls } from './reloading-tls';
export type { TlsMaterial } from './tls-material';
