import type { TargetProcess } from '../target-process';
import type { LoadRequest } from '../workload';

/** Three processes that keep one replicated state: what the two systems compared have to offer each other's test. */
export interface ThreeNodes {
  readonly name: string;
  readonly nodes: readonly TargetProcess[];
  readonly put: (key: number) => LoadRequest;
  /** A linearizable read. */
  readonly get: (key: number) => LoadRequest;
  /** Waits until there is a leader that all nodes agree on, and gives its place in `nodes`. */
  leader(): Promise<number>;
  /** Starts a node again that was killed, with its data; returns when it can serve. */
  restart(at: number): Promise<void>;
  kill(): Promise<void>;
}

const POLL_MS = 50;

/** Asks every node until all name the same leader. */
export async function agreedLeader(ask: (at: number) => Promise<number | undefined>): Promise<number> {
  for (;;) {
    const [first, ...others] = await Promise.all([0, 1, 2].map((at) => ask(at).catch(() => undefined)));
    if (first !== undefined && others.every((other) => other === first)) return first;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
