import type { Connections } from './connections';

/** What is known of one key: only its own writer writes it, one write at a time. */
interface KeyState {
  /** Count in the newest write that was acknowledged, or seen by a read since. */
  known: number;
  /** Count of a write whose answer never came: it may have happened. */
  unanswered?: number;
}

export interface Acknowledged {
  readonly id: string;
  readonly count: number;
  readonly commitSeq: number;
}

const KEYS_PER_WRITER = 4;

/** Many clients writing counters, who remember what they were promised. */
export class CrashWriters {
  readonly acknowledged: Acknowledged[] = [];
  private readonly keys = new Map<string, KeyState>();
  private stopped = true;

  constructor(
    private readonly path: string,
    private readonly writers: number,
  ) {
    for (let writer = 0; writer < writers; writer++) {
      for (let key = 0; key < KEYS_PER_WRITER; key++) this.keys.set(`w${writer}-k${key}`, { known: 0 });
    }
  }

  /** Writes on all connections until one breaks; calls `onAcknowledged` after each answer. */
  async write(connections: Connections, onAcknowledged: () => void): Promise<void> {
    this.stopped = false;
    await Promise.all(
      Array.from({ length: this.writers }, (_, writer) => this.writer(writer, connections, onAcknowledged)),
    );
  }

  /** Reads every key and gives what is wrong: a key must show its last promise, or the write after it. */
  async check(connections: Connections): Promise<readonly string[]> {
    const wrong: string[] = [];
    await Promise.all(
      [...this.keys].map(async ([id, state]) => {
        const { status, json } = await connections.send('GET', `${this.path}/${id}`);
        const count = status === 404 ? 0 : (json as { body: { count: number } }).body.count;
        if (count !== state.known && count !== state.unanswered) {
          wrong.push(
            `${id}: promised ${state.known}, unanswered ${state.unanswered ?? 'none'}, answers ${count}`,
          );
        }
        state.known = count;
        delete state.unanswered;
      }),
    );
    return wrong;
  }

  /** Whether some writer ever sent this count for this key. */
  wasSent(id: string, count: number): boolean {
    const state = this.keys.get(id);
    return state !== undefined && count >= 1 && count <= Math.max(state.known, state.unanswered ?? 0);
  }

  private async writer(writer: number, connections: Connections, onAcknowledged: () => void): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      const id = `w${writer}-k${turn % KEYS_PER_WRITER}`;
      const state = this.keys.get(id);
      if (state === undefined) throw new Error(`no such key: ${id}`);
      const count = state.known + 1;
      state.unanswered = count;
      try {
        const { status, json } = await connections.send('PUT', `${this.path}/${id}`, { body: { count } });
        if (status !== 200) throw new Error(`PUT answered ${status}`);
        this.acknowledged.push({ id, count, commitSeq: (json as { commit_seq: number }).commit_seq });
        state.known = count;
        delete state.unanswered;
        onAcknowledged();
      } catch {
        this.stopped = true;
      }
    }
  }
}
