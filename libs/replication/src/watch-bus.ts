/** Where the changes of one namespace go. */
export interface BusTopic {
  /** Name of the namespace's placement: what is published for it stays within the placement's regions. */
  readonly placement: string;
  /** Stands for the namespace; the same on every node. */
  readonly key: string;
}

/**
 * A fast and unreliable way to tell other nodes of changes: a message may be lost, come twice, late or before an
 * older one, and nothing depends on it but speed. Never blocks and never throws; what cannot be sent now is dropped.
 */
export interface WatchBus {
  /** What an operator is told: `degraded` while the other side cannot be reached. */
  readonly state: 'connected' | 'degraded';
  /**
   * Whether messages of the placement get through now and to nobody outside of the placement's regions. Where that
   * is not sure, nothing is published.
   */
  carries(placement: string): boolean;
  /** `false` when the message was dropped at once. The bytes are not written to afterwards. */
  publish(topic: BusTopic, message: Uint8Array): boolean;
  /** Calls `onMessage` for what others publish until the returned function is called; the bytes are the receiver's. */
  subscribe(topic: BusTopic, onMessage: (message: Uint8Array) => void): () => void;
  /** Calls back when what {@link carries} says may have changed. Set once. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}
