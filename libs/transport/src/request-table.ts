import { StateError } from '#contracts';
import type { Clock } from '#replication';

interface OpenRequest {
  readonly ordinal: number;
  readonly cancelTimer: () => void;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: StateError) => void;
}

/** The requests of one connection that wait for their answer. */
export class RequestTable {
  private readonly open = new Map<number, OpenRequest>();
  private lastId = 0;

  constructor(private readonly clock: Clock) {}

  /** An id that no open request has: 1 to below 2^32. */
  nextId(): number {
    do {
      this.lastId = this.lastId >= 0xffff_ffff ? 1 : this.lastId + 1;
    } while (this.open.has(this.lastId));
    return this.lastId;
  }

  /** @param ordinal of the request's frame on its connection; see {@link failAll}. */
  wait(id: number, ordinal: number, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const cancelTimer = this.clock.after(timeoutMs, () =>
        this.reject(id, new StateError('timeout', `the peer did not answer within ${timeoutMs} ms`)),
      );
      this.open.set(id, { ordinal, cancelTimer, resolve, reject });
    });
  }

  /** False when nobody waits for it any more. */
  resolve(id: number, body: Uint8Array): boolean {
    const request = this.take(id);
    request?.resolve(body);
    return request !== undefined;
  }

  /** False when nobody waits for it any more. */
  reject(id: number, error: StateError): boolean {
    const request = this.take(id);
    request?.reject(error);
    return request !== undefined;
  }

  /** The connection broke: what may have left has an unknown outcome, the rest never happened. */
  failAll(mayHaveLeft: (ordinal: number) => boolean, cause: string): void {
    for (const [id, { ordinal }] of [...this.open]) {
      this.reject(
        id,
        mayHaveLeft(ordinal)
          ? new StateError('timeout', `the connection broke before the answer: ${cause}`)
          : new StateError('no_leader', `the connection broke before the request left: ${cause}`),
      );
    }
  }

  private take(id: number): OpenRequest | undefined {
    const request = this.open.get(id);
    if (request === undefined) return undefined;
    this.open.delete(id);
    request.cancelTimer();
    return request;
  }
}
