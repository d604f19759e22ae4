import type { ChangeBatch, ChangeEvent, CommitSeq } from '#contracts';
import type { StateStore } from '#replication';
import { readChanges } from '#state-machine';
import { bodyOf } from './decided-writes';
import { SimulationFailure } from './failure';
import { PROBE_ID } from './world';

/** What a key held from a position on: the object's JSON, or nothing. */
interface Version {
  readonly seq: number;
  readonly json: string | undefined;
}

interface NamespaceHistory {
  readonly batches: ChangeBatch[];
  readonly texts: string[];
  readonly versions: Map<string, Version[]>;
  /** Where each value of each key was put: clients put no value twice. */
  readonly values: Map<string, number>;
}

const PAGE_BYTES = 1_000_000;
const decoder = new TextDecoder();

/**
 * The one history of changes that all replicas must show: whoever applies a position first decides what is there,
 * everyone else is compared. It is also what reads at a position are judged by.
 */
export class DecidedHistory {
  private readonly namespaces = new Map<string, NamespaceHistory>();
  private readonly come = new WeakMap<StateStore, number>();

  /** `mayRepeat`: of which ids values may be put more than once. */
  constructor(
    namespaces: readonly string[],
    private readonly mayRepeat: (id: string) => boolean = (id) => id === PROBE_ID,
  ) {
    for (const ns of namespaces)
      this.namespaces.set(ns, { batches: [], texts: [], versions: new Map(), values: new Map() });
  }

  batches(ns: string): readonly ChangeBatch[] {
    return this.of(ns).batches;
  }

  /** The batches above a position, in order. */
  *batchesAfter(ns: string, position: number): Iterable<ChangeBatch> {
    const { batches } = this.of(ns);
    for (let at = lowerBound(batches, position + 1); at < batches.length; at++)
      yield batches[at] as ChangeBatch;
  }

  /** A replica's state has come to `position`; what is new in it is compared. */
  compare(who: string, store: StateStore, position: CommitSeq): void {
    const from = (this.come.get(store) ?? 0) + 1;
    if (position < from) return;
    for (const ns of this.namespaces.keys()) {
      this.compareBatches(who, ns, readChanges(store, ns, from as CommitSeq, PAGE_BYTES).batches);
    }
    this.come.set(store, position);
  }

  /** Changes of a namespace as `who` tells them, in order and without a gap between them. */
  compareBatches(who: string, ns: string, batches: readonly ChangeBatch[]): void {
    for (const batch of batches) this.take(who, this.of(ns), batch);
  }

  /** The object that a read at `position` must give. */
  objectAt(ns: string, id: string, position: number): string | undefined {
    const versions = this.of(ns).versions.get(id) ?? [];
    return versions.findLast(({ seq }) => seq <= position)?.json;
  }

  /** Position of the version that a key had as of a position; 0 when there was no object. */
  versionAt(ns: string, id: string, position: number): number {
    const version = this.of(ns)
      .versions.get(id)
      ?.findLast(({ seq }) => seq <= position);
    return version?.json === undefined ? 0 : version.seq;
  }

  private take(who: string, history: NamespaceHistory, batch: ChangeBatch): void {
    const text = textOf(batch);
    const at = lowerBound(history.batches, batch.commitSeq);
    const known = history.batches[at];
    if (known?.commitSeq === batch.commitSeq) {
      if (history.texts[at] === text) return;
      throw new SimulationFailure(
        `state machine safety: ${who} has ${text} at ${batch.commitSeq}, others ${String(history.texts[at])}`,
      );
    }
    if (at < history.batches.length) {
      throw new SimulationFailure(
        `state machine safety: ${who} alone has a change at ${batch.commitSeq}: ${text}`,
      );
    }
    const before = history.batches.at(-1);
    if (before !== undefined && batch.tsMs < before.tsMs) {
      throw new SimulationFailure(
        `the log's time goes back from ${before.tsMs} at ${before.commitSeq} to ${batch.tsMs} at ${batch.commitSeq}`,
      );
    }
    history.batches.push(batch);
    history.texts.push(text);
    for (const event of batch.events) {
      if (!this.mayRepeat(event.id)) noteEffect(history, batch.commitSeq, event);
      const versions = history.versions.get(event.id) ?? [];
      versions.push({ seq: batch.commitSeq, json: event.object && decoder.decode(event.object) });
      history.versions.set(event.id, versions);
    }
  }

  private of(ns: string): NamespaceHistory {
    const history = this.namespaces.get(ns);
    if (history === undefined) throw new Error(`${ns} is no namespace of this simulation`);
    return history;
  }
}

/** Each put has its effect at most once, however often it was sent: its value comes once. */
function noteEffect({ values }: NamespaceHistory, commitSeq: number, { id, object }: ChangeEvent): void {
  if (object === undefined) return;
  const value = `${id} ${bodyOf(object)}`;
  const first = values.get(value);
  if (first !== undefined)
    throw new SimulationFailure(`an effect came twice: ${value} was put at ${first} and at ${commitSeq}`);
  values.set(value, commitSeq);
}

function lowerBound(batches: readonly ChangeBatch[], seq: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((batches[middle] as ChangeBatch).commitSeq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function textOf({ prevCommitSeq, tsMs, events }: ChangeBatch): string {
  const changes = events.map(({ kind, reason, id, object }) =>
    [kind, reason ?? '', id, object === undefined ? '' : decoder.decode(object)].join(' '),
  );
  return `after ${prevCommitSeq}, ${tsMs}: ${changes.join(', ')}`;
}
