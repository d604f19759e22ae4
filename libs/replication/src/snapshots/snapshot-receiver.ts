import { StateError, type GroupId } from '#contracts';
import type { Message } from '#raft';
import { readApplied, type Digest } from '#state-machine';
import { PeerKind } from '../peers/peer-kinds';
import type { Clock, Network, NextGeneration, StateStores } from '../ports';
import { INSTALLED_KEY, encodeInstalled } from '../replica-rows';
import type { Replica } from '../replica';
import { UncertainInstall } from '../uncertain-install';
import { decodeChunk, encodeChunkRequest, unseal, type Chunk } from './chunk';

export interface SnapshotReceiverOptions {
  readonly network: Network;
  readonly stores: StateStores;
  /** Groups whose next state is being built on this node; one at a time each. */
  readonly building: Set<GroupId>;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly chunkTimeoutMs: number;
  /** Attempts at one chunk, each after a short wait, before the transfer is given up. */
  readonly attempts: number;
  /** {@link Driver.step}. */
  readonly step: (replica: Replica, message: Message) => void;
  readonly onWarning: (what: string, error: Error) => void;
  /** The process must not go on. */
  readonly onFatal: (error: Error) => void;
  readonly onInstalled: (replica: Replica) => void;
}

const RETRY_MS = 200;

/**
 * The receiving side: fetches the offered state into the next generation beside the one that counts, checks it, and
 * only then lets it count and tells the core. Until that moment the replica goes on as it was; whatever fails on the
 * way leaves it so, and the leader offers again.
 */
export class SnapshotReceiver {
  private readonly receiving: Set<GroupId>;
  private running = true;

  constructor(private readonly options: SnapshotReceiverOptions) {
    this.receiving = options.building;
  }

  stop(): void {
    this.running = false;
  }

  /** Takes up an offer, unless one is being fetched already. */
  offer(replica: Replica, message: Message): void {
    if (this.receiving.has(replica.group)) return;
    const { term, commit } = replica.status();
    if (message.term < term || (message.snapshot?.index ?? 0) <= commit) {
      // Old news: the core knows the answer without the bytes.
      this.options.step(replica, message);
      return;
    }
    if (replica.applied >= (message.snapshot?.index ?? 0)) {
      // An earlier transfer brought the state here, but the core would not hear of it: its offer had grown old.
      this.options.step(replica, { ...message, snapshot: replica.snapshotOfState() });
      return;
    }
    this.receiving.add(replica.group);
    void this.fetch(replica, message)
      .catch((error: unknown) => {
        if (this.running) this.options.onWarning('a snapshot could not be installed', asError(error));
      })
      .finally(() => this.receiving.delete(replica.group));
  }

  private async fetch(replica: Replica, message: Message): Promise<void> {
    const next = await this.options.stores.begin(replica.group);
    try {
      await this.receive(replica.group, message, next);
      const { appliedIndex } = readApplied(next.store);
      next.store.write({ puts: [[INSTALLED_KEY, encodeInstalled(appliedIndex)]], deletes: [] });
      if (!this.running || replica.status().commit >= appliedIndex) {
        await next.abandon();
        return;
      }
      replica.holdApplying();
      await next.install();
    } catch (error) {
      if (error instanceof UncertainInstall) {
        this.options.onFatal(error);
        throw error;
      }
      replica.resumeApplying();
      await next.abandon();
      throw error;
    }
    const before = replica.replaceState(next.store);
    this.options.step(replica, { ...message, snapshot: replica.snapshotOfState() });
    replica.resumeApplying();
    this.options.onInstalled(replica);
    await before.close();
    await next.cleanUp();
  }

  private async receive(group: GroupId, message: Message, next: NextGeneration): Promise<void> {
    let rowCount = 0;
    let chunk = await this.chunk(group, message, 0, 0);
    for (;;) {
      next.store.write({ puts: chunk.rows, deletes: [] });
      rowCount += chunk.rows.length;
      if (chunk.totalRows !== undefined) break;
      chunk = await this.chunk(group, message, chunk.transfer, chunk.sequence + 1);
    }
    if (chunk.totalRows !== rowCount) {
      throw new Error(`the snapshot has ${chunk.totalRows} rows, and ${rowCount} arrived`);
    }
  }

  private async chunk(group: GroupId, message: Message, transfer: number, sequence: number): Promise<Chunk> {
    const { network, chunkTimeoutMs, attempts, digest } = this.options;
    const request = encodeChunkRequest({ group, transfer, sequence });
    for (let attempt = 1; ; attempt++) {
      if (!this.running) throw new StateError('draining', 'The node is stopping.');
      try {
        const body = await network.request(message.from, PeerKind.snapshotChunk, request, {
          timeoutMs: chunkTimeoutMs,
          channel: 'bulk',
        });
        const chunk = decodeChunk(unseal(body, digest));
        if ((transfer !== 0 && chunk.transfer !== transfer) || chunk.sequence !== sequence) {
          throw new Error(`chunk ${sequence} was asked for, and ${chunk.sequence} came`);
        }
        return chunk;
      } catch (error) {
        const startOver = error instanceof StateError && error.code === 'conflict';
        if (startOver || attempt >= attempts) throw error;
        await new Promise<void>((resolve) => this.options.clock.after(RETRY_MS, resolve));
      }
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
