export * from './state-reader';
export { ApplyBatch } from './apply-batch';
export { type Counters, readApplied } from './counters';
export { STATE_FORMAT_VERSION, UnknownStateFormat } from './format';
export type { Digest } from './object-row';
export { evaluateRead } from './evaluate-read';
