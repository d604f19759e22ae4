export { openTransport, type Transport } from './transport';
export {
  DEFAULT_LIMITS,
  FAULT_REASONS,
  REFUSAL_REASONS,
  type Admission,
  type DropReason,
  type FaultReason,
  type LinkChannel,
  type LogFields,
  type PeerHello,
  type RefusalReason,
  type TlsMaterial,
  type TransportCredentials,
  type TransportIdentity,
  type TransportLimits,
  type TransportLogger,
  type TransportObserver,
  type TransportOptions,
} from './options';
export { PROTOCOL_VERSION } from './frame';
