import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client';
import { frames, type WatchEvent } from './event-stream';

/** Between two attempts to reach a server that is down. */
const RETRY_MS = 50;

/**
 * Watches as a browser's EventSource does: when the stream breaks it comes back with `Last-Event-ID`. It keeps
 * every change it was sent, as it was sent: a change that comes twice is there twice.
 *
 * A batch that was cut before its last event is sent again whole, and by CONTRACT section 4 only that event has
 * an id; so events count from the moment their batch is complete.
 */
export class Watcher {
  readonly changes: WatchEvent[] = [];
  /** Positions that the server said it had come to. */
  readonly bookmarks: number[] = [];
  /** Answers that were no stream: a resume that is refused ends the watching. */
  refused: string | undefined;
  connections = 0;
  private lastEventId: string | undefined;
  private batch: WatchEvent[] = [];
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private changed: () => void = () => undefined;

  constructor(
    private readonly client: Client,
    private readonly search = '',
  ) {
    this.running = this.run();
  }

  /** Resolves when the condition holds; looked at after everything that arrives. */
  async until(what: string, condition: () => boolean, deadlineMs = 60_000): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!condition()) {
      if (this.refused !== undefined) throw new Error(`the watch was refused: ${this.refused}`);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`the watcher never saw ${what}, but ${this.changes.length} changes`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && this.refused === undefined) {
      try {
        await this.connection();
      } catch {
        // Down, or gone in the middle: the next attempt resumes.
      }
      this.batch = [];
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async connection(): Promise<void> {
    const response = await fetch(this.client.watchUrl(this.search), {
      headers: {
        ...this.client.authorization,
        ...(this.lastEventId !== undefined && { 'last-event-id': this.lastEventId }),
      },
      signal: this.stopping.signal,
    });
    if (response.status === 503) return;
    if (!response.ok) {
      this.refused = `${response.status} ${await response.text()}`;
      this.changed();
      return;
    }
    this.connections++;
    this.changed();
    for await (const { event, lastEventId } of frames(response)) {
      if (event.type === 'PUT' || event.type === 'DELETE') this.batch.push(event);
      if (lastEventId !== undefined) {
        this.lastEventId = lastEventId;
        this.changes.push(...this.batch.splice(0));
      }
      if (event.type === 'BOOKMARK') this.bookmarks.push(Number(lastEventId));
      this.changed();
    }
  }
}
