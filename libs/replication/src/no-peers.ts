import { StateError } from '#contracts';
import type { Network } from './ports';

/** The links of a node that is alone: there is nobody to reach. */
export const NO_PEERS: Network = {
  send: () => false,
  request: () => Promise.reject(new StateError('no_leader', 'This node has no peers.', { retry_after: 1 })),
  setPeers: () => undefined,
  setHandlers: () => undefined,
  connected: () => false,
  close: () => Promise.resolve(),
};
