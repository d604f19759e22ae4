import http from 'node:http';
import type { Latencies } from '../percentiles';
import { NAMESPACE } from '../workload';

/** What a put carries: when it was sent, by the clock that also stamps its arrival. */
export const SENT = '"sent_ms":';
/** The leader's time of the write, in the event: whole milliseconds, just before the commit. */
const WRITTEN = '"ts":"';

export interface Timers {
  /** From the put's sending to the event's arrival. */
  readonly sinceSent: Latencies;
  /** From the leader's time of the write to the event's arrival. */
  readonly sinceWritten: Latencies;
}

export interface WatcherOptions {
  readonly port: number;
  /** What of the namespace: everything by default. */
  readonly query?: string;
  /** Where the times of its events go; without them it only takes what it is sent. */
  readonly timers?: Timers;
}

/** One open stream, over a connection of its own. */
export function openWatcher({ port, query = '', timers }: WatcherOptions): Promise<http.ClientRequest> {
  return new Promise((resolve, reject) => {
    const path = `/v1/${encodeURIComponent(NAMESPACE)}/watch${query}`;
    const request = http.get({ host: '127.0.0.1', port, path, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`the watch answered ${response.statusCode}`));
      response.on('error', () => undefined);
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        // The first bytes are the bookmark: from here on nothing is missed.
        resolve(request);
        if (timers === undefined) return;
        const blocks = (rest + chunk.toString('utf8')).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) takeTimes(block, timers);
      });
    });
  });
}

/** Opens them a few at a time: a burst of connections is not what is measured. */
export async function openWatchers(all: readonly WatcherOptions[]): Promise<readonly http.ClientRequest[]> {
  const open: http.ClientRequest[] = [];
  for (let at = 0; at < all.length; at += OPENED_AT_ONCE) {
    open.push(...(await Promise.all(all.slice(at, at + OPENED_AT_ONCE).map(openWatcher))));
  }
  return open;
}

const OPENED_AT_ONCE = 50;

function takeTimes(block: string, { sinceSent, sinceWritten }: Timers): void {
  const sentAt = block.indexOf(SENT);
  if (sentAt < 0) return;
  sinceSent.add(
    performance.now() - Number.parseFloat(block.slice(sentAt + SENT.length, sentAt + SENT.length + 24)),
  );
  const writtenAt = block.indexOf(WRITTEN) + WRITTEN.length;
  sinceWritten.add(Date.now() - Date.parse(block.slice(writtenAt, writtenAt + 24)));
}
