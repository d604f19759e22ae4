import type { Clock, Random } from '#replication';

import type { FrameSocketContext, FrameSocket } from './frame-socket';
import type { VersionRange } from './hello';
import type { PeerTls } from './peer-tls';
import type {
  Admission,
  PeerHello,
  TransportCredentials,
  TransportIdentity,
  TransportLimits,
  TransportLogger,
  TransportObserver,
} from './options';

/** What the parts of one transport share. */
export interface TransportContext extends FrameSocketContext {
  /** Changes when the node has formed or joined a cluster: read for each handshake. */
  identity: TransportIdentity;
  /** False until the handlers are set: members are asked to come back. */
  ready: boolean;
  readonly credentials: TransportCredentials;
  /** `undefined`: plain TCP. */
  readonly tls: PeerTls | undefined;
  readonly versions: VersionRange;
  readonly limits: TransportLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: TransportObserver;
  readonly logger: TransportLogger;
  readonly openSockets: Set<FrameSocket>;
  admit(hello: PeerHello): Admission;
}
