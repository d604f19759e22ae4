export * from './state-reader';
export { ApplyBatch } from './apply-batch';
export { type Counters, readApplied } from './counters';
export { evaluateRead } from './evaluate-read';
export { STATE_FORMAT_VERSION, UnknownStateFormat } from './format';
export { type NamespaceRow, readNamespace } from './namespaces';
export { nextExpiryMs } from './next-expiry';
export { whyNotATimeToLive, whyNotAType, whyNotTags } from './object-rules';
export { parseJsonPatch } from './patch/json-patch';
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
