import type { BusTopic, WatchBus } from '#replication';
import type { SeededStream } from './random';
import type { Life, Scheduler } from './scheduler';

interface Listener {
  readonly life: Life;
  readonly topic: string;
  readonly onMessage: (message: Uint8Array) => void;
}

const LOST_SHARE = 0.15;
const DOUBLED_SHARE = 0.1;
/** Most messages are fast; the rest come so late that many newer ones overtake them. */
const FAST_MS = 3;
const SLOW_MS = 300;
const SLOW_SHARE = 0.15;

/**
 * A bus as bad as one may be: each message to each listener is lost, doubled, late or overtaken by chance, and every
 * now and then all are lost for a while without anybody noticing.
 */
export class SimBus {
  private readonly listeners = new Set<Listener>();
  private silentUntilMs = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededStream,
  ) {}

  /** The bus as one run of a node's process sees it. */
  attach(life: Life): WatchBus {
    return {
      state: 'connected',
      carries: () => true,
      publish: (topic, message) => this.publish(life, topic, message),
      subscribe: (topic, onMessage) => {
        const listener = { life, topic: nameOf(topic), onMessage };
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      onChange: () => undefined,
      close: () => {
        for (const listener of this.listeners) if (listener.life === life) this.listeners.delete(listener);
        return Promise.resolve();
      },
    };
  }

  private publish(from: Life, topic: BusTopic, message: Uint8Array): boolean {
    const { random, scheduler } = this;
    if (random.chance(0.002)) this.silentUntilMs = scheduler.nowMs + random.between(100, 3_000);
    if (scheduler.nowMs < this.silentUntilMs) return true;
    const name = nameOf(topic);
    for (const listener of this.listeners) {
      if (listener.life === from || !listener.life.alive || listener.topic !== name) continue;
      if (random.chance(LOST_SHARE)) continue;
      for (let copies = random.chance(DOUBLED_SHARE) ? 2 : 1; copies > 0; copies--) {
        const delayMs = random.between(0, random.chance(SLOW_SHARE) ? SLOW_MS : FAST_MS);
        const arrive = (): void => {
          if (this.listeners.has(listener)) listener.onMessage(message.slice());
        };
        scheduler.after(delayMs, 'a message on the bus', arrive, listener.life);
      }
    }
    return true;
  }
}

function nameOf({ placement, key }: BusTopic): string {
  return `${placement}.${key}`;
}
