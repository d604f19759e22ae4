export * from './types';
export { LostEntries } from './invariant';
export { RawNode } from './raw-node';
export { CONF_CHANGE_FORMAT_VERSION, decodeConfChange, encodeConfChange } from './conf-change-codec';
export { CONF_STATE_FORMAT_VERSION, decodeConfState, encodeConfState } from './conf-state-codec';
export {
  decodeMessage,
  encodeMessage,
  encodeMessageInto,
  MESSAGE_FORMAT_VERSION,
  messageBytes,
} from './message-codec';
