export * from './state-reader';
export { ApplyBatch } from './apply-batch';
export { type Counters, readApplied } from './counters';
export { evaluateRead } from './evaluate-read';
export { STATE_FORMAT_VERSION, UnknownStateFormat } from './format';
export { type NamespaceRow, readNamespace } from './namespaces';
export { exportRows, type PortablePage, type PortablePlace } from './portable-rows';
export { readTenancies, type Tenancy } from './tenancies';
export { nextExpiryMs } from './next-expiry';
export type { ObjectConditions } from './object-filter';
export { type Digest, formatTime } from './object-row';
export {
  type ChangesPage,
  firstAvailable,
  type HeadScan,
  oldestCommit,
  openScan,
  readChanges,
  type ScannedHead,
} from './read-changes';
export { RowCache } from './row-cache';
export { stateDigest } from './state-digest';
