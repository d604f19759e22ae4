import type { MemberId } from '#contracts';
import type { DecidedHistory } from './decided-history';
import type { SeededStream } from './random';
import type { Scheduler } from './scheduler';
import type { SimHost } from './sim-host';
import type { LinkQuality, SimNetwork } from './sim-network';
import type { SimulatedBug } from './planted-bug';

/** What clients, watchers and faults act on. */
export interface World {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly quality: LinkQuality;
  readonly hosts: ReadonlyMap<MemberId, SimHost>;
  readonly decided: DecidedHistory;
  readonly random: SeededStream;
  readonly bug: SimulatedBug | undefined;
  /** Whether nodes remove old history: a watcher may then come too late for what it asks. */
  readonly forgets: boolean;
  note(what: string): void;
  /** Ends the run; for what is found outside of the step in which it can be thrown. */
  broken(error: unknown): void;
  /** Runs once the step is over and its effects were compared with what was decided before. */
  afterStep(check: () => void): void;
  /** Ends a node's process and plans its return. */
  crash(host: SimHost, options: { readonly power: boolean; readonly downMs: number }): void;
}

export const OBJECTS = 'agent://objects';
export const BATCHES = 'agent://batches';
/** The object that is written at the end to see that each node takes writes: its values come more than once. */
export const PROBE_ID = 'probe';
