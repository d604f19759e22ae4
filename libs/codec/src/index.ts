export { CodecError } from './codec-error';
export { compareUtf8, decodeUtf8, encodeUtf8, utf8Length } from './utf8';
export { allocate } from './slab';
export { ByteWriter, sizedLength, varintLength } from './byte-writer';
export { ByteReader } from './byte-reader';
export { compareBytes, prefixEnd, readOrdered, writeOrdered } from './ordered';
export { decodeBase64url, encodeBase64url } from './base64url';
export { encodeCommand, stampCommand } from './command-encoder';
export {
  commandTime,
  decodeCommand,
  readTags,
  viewCommand,
  type CheckView,
  type CommandView,
  type DeleteView,
  type OperationView,
  type PatchView,
  type PutView,
  type Span,
} from './command-decoder';
export type { Guards } from './command-guards';
export {
  decodeOutcome,
  decodeReadOutcome,
  decodeReadRequest,
  encodeOutcome,
  encodeReadOutcome,
  encodeReadRequest,
} from './messages';
export {
  decodeChangeBatches,
  decodeScannedObjects,
  encodeChangeBatches,
  encodeScannedObjects,
} from './change-batches';
