import type { ChangeBatch, ChangeEvent } from '#contracts';
import { CompiledFilter, type WatchFilter } from '#watch';
import type { SseEvent } from './sse';

/** What one connection asked for and got. */
export interface WatchStream {
  readonly ns: string;
  readonly filter: WatchFilter;
  /** `from_commit`, or one more than `Last-Event-ID`; absent for "now". */
  readonly from?: number;
  readonly initial: boolean;
  /** All that came, in order; a connection that was cut may end anywhere. */
  readonly events: readonly SseEvent[];
  /** Position that the stream must have come to, if it is known that it had the time. */
  readonly reached?: number;
}

interface WireEvent {
  readonly type?: unknown;
  readonly ns?: unknown;
  readonly id?: unknown;
  readonly commit_seq?: unknown;
  readonly ts?: unknown;
  readonly reason?: unknown;
  readonly object?: unknown;
  readonly last_commit?: unknown;
  readonly retry_after_ms?: unknown;
}

interface Expected {
  readonly seq: number;
  readonly lastOfBatch: boolean;
  readonly text: string;
}

const END_REASONS = ['token_expired', 'draining', 'region_changed'];
const decoder = new TextDecoder();

/** The last change of every live object that matches, by id, once everything up to `position` happened. */
export function stateAt(
  history: readonly ChangeBatch[],
  filter: WatchFilter,
  position: number,
): Map<string, { readonly batch: ChangeBatch; readonly event: ChangeEvent }> {
  const state = new Map<string, { batch: ChangeBatch; event: ChangeEvent }>();
  for (const batch of history) {
    if (batch.commitSeq > position) break;
    for (const event of batch.events) {
      if (event.kind === 'put') state.set(event.id, { batch, event });
      else state.delete(event.id);
    }
  }
  const compiled = new CompiledFilter(filter);
  return new Map([...state].filter(([, { event }]) => compiled.matches(event)));
}

/**
 * Compares one recorded stream with the namespace's whole history (in order, from its first change on) and names
 * every broken promise of CONTRACT section 4: order, completeness, uniqueness, content, atomic batches, `id:`
 * lines only where a resumption is right, true bookmarks, a true `last_commit`, nothing after the end. A session
 * of many connections is whole when each of them is and each began after the last `id:` of the one before.
 */
export function checkWatchStream(stream: WatchStream, history: readonly ChangeBatch[]): string[] {
  return new StreamChecker(stream, history).check();
}

class StreamChecker {
  private readonly violations: string[] = [];
  private readonly filter: CompiledFilter;
  private expected: readonly Expected[] = [];
  /** Events of `expected` that came. */
  private delivered = 0;
  /** Position up to which the stream has said that it is complete; `undefined` before it said anything. */
  private position: number | undefined;
  private ended = false;
  private readonly initialRows: string[] = [];

  constructor(
    private readonly stream: WatchStream,
    private readonly history: readonly ChangeBatch[],
  ) {
    this.filter = new CompiledFilter(stream.filter);
  }

  check(): string[] {
    for (const [index, event] of this.stream.events.entries()) {
      const before = this.violations.length;
      this.event(event);
      if (this.violations.length > before) {
        // What follows a broken promise is no evidence of another.
        return this.violations.map((text) => `event ${index}: ${text}`);
      }
    }
    const { reached } = this.stream;
    if (reached !== undefined && !this.ended) {
      const due = this.expected.filter(({ seq }) => seq <= reached).length;
      if (this.position === undefined) this.violations.push('the stream never said where it begins');
      else if (this.delivered < due) this.violations.push(`${due - this.delivered} events never came`);
      else if (this.position < reached) {
        this.violations.push(`the stream says ${this.position} and never came to ${reached}`);
      }
    }
    return this.violations;
  }

  private event(event: SseEvent): void {
    if (this.ended) return this.fail(`came after the stream's end: ${event.data}`);
    let wire: WireEvent;
    try {
      wire = JSON.parse(event.data) as WireEvent;
    } catch {
      return this.fail(`is not JSON: ${event.data}`);
    }
    switch (wire.type) {
      case 'PUT':
      case 'DELETE':
        return this.change(event, wire);
      case 'BOOKMARK':
        return this.bookmark(event, wire);
      case 'OVERFLOW':
        return this.overflow(event, wire);
      case 'END':
        this.ended = true;
        if (event.id !== undefined) this.fail('END has an id');
        if (!END_REASONS.includes(String(wire.reason))) this.fail(`END for ${String(wire.reason)}`);
        return;
      default:
        return this.fail(`unknown type ${String(wire.type)}`);
    }
  }

  private change(event: SseEvent, wire: WireEvent): void {
    const text = JSON.stringify(wire);
    if (this.position === undefined) {
      if (!this.stream.initial) return this.fail('a change came before the first bookmark');
      if (event.id !== undefined) this.fail('an event of the initial state has an id');
      this.initialRows.push(text);
      return;
    }
    const expected = this.expected[this.delivered];
    if (expected === undefined) return this.fail(`nothing was to come, but ${text} came`);
    if (expected.text !== text) return this.fail(`expected ${expected.text}, but ${text} came`);
    this.delivered++;
    if (!expected.lastOfBatch) {
      if (event.id !== undefined) this.fail(`an id in the middle of the batch at ${expected.seq}`);
      return;
    }
    if (event.id !== String(expected.seq)) this.fail(`the batch at ${expected.seq} ends with id ${event.id}`);
    this.position = expected.seq;
  }

  private bookmark(event: SseEvent, wire: WireEvent): void {
    const position = wire.commit_seq;
    if (typeof position !== 'number' || event.id !== String(position)) {
      return this.fail(`a bookmark at ${String(position)} with id ${event.id}`);
    }
    if (wire.ns !== this.stream.ns) return this.fail(`a bookmark of ${String(wire.ns)}`);
    if (this.position === undefined) return this.begin(position);
    if (position < this.position) return this.fail(`a bookmark at ${position} after ${this.position}`);
    this.claims(position, 'a bookmark');
  }

  private begin(position: number): void {
    const { from, initial, filter } = this.stream;
    if (from !== undefined && position !== Math.max(from, 1) - 1) {
      return this.fail(`asked for ${from}, began after ${position}`);
    }
    this.position = position;
    this.expected = this.changesAfter(position);
    if (!initial) return;
    const state = [...stateAt(this.history, filter, position)].sort(([a], [b]) => (a < b ? -1 : 1));
    const rows = state.map(([, { batch, event }]) => wireText(batch, event));
    const came = new Set(this.initialRows);
    const missing = rows.filter((row) => !came.has(row));
    if (missing.length > 0) this.fail(`the initial state at ${position} lacks ${missing.join(' ')}`);
    else if (this.initialRows.length !== rows.length)
      this.fail(`the initial state has ${this.initialRows.length} rows, not ${rows.length}`);
  }

  private overflow(event: SseEvent, wire: WireEvent): void {
    this.ended = true;
    const last = wire.last_commit;
    if (typeof last !== 'number' || event.id !== String(last)) {
      return this.fail(`OVERFLOW at ${String(last)} with id ${event.id}`);
    }
    if (typeof wire.retry_after_ms !== 'number') this.fail('OVERFLOW without retry_after_ms');
    if (this.position === undefined) return this.fail('OVERFLOW before any position was said');
    if (last < this.position) return this.fail(`OVERFLOW at ${last} after ${this.position}`);
    const owed = this.expected.slice(this.delivered).find(({ seq }) => seq <= last);
    if (owed !== undefined) this.fail(`OVERFLOW says ${last}, but ${owed.text} never came`);
  }

  private claims(position: number, what: string): void {
    const owed = this.expected[this.delivered];
    if (owed !== undefined && owed.seq <= position) {
      return this.fail(`${what} says ${position}, but ${owed.text} never came`);
    }
    const midBatch = this.delivered > 0 && this.expected[this.delivered - 1]?.lastOfBatch === false;
    if (midBatch) return this.fail(`${what} in the middle of a batch`);
    this.position = position;
  }

  private changesAfter(position: number): readonly Expected[] {
    const expected: Expected[] = [];
    for (const batch of this.history) {
      if (batch.commitSeq <= position) continue;
      const events = batch.events.filter((event) => this.filter.matches(event));
      for (const [index, event] of events.entries()) {
        const lastOfBatch = index === events.length - 1;
        expected.push({ seq: batch.commitSeq, lastOfBatch, text: wireText(batch, event) });
      }
    }
    return expected;
  }

  private fail(text: string): void {
    this.violations.push(text);
  }
}

/** An event as it must arrive, in the order of keys that the server writes. */
function wireText(batch: ChangeBatch, event: ChangeEvent): string {
  const head = {
    type: event.kind === 'put' ? 'PUT' : 'DELETE',
    ns: batch.ns,
    id: event.id,
    commit_seq: batch.commitSeq,
    ts: new Date(batch.tsMs).toISOString(),
  };
  if (event.kind === 'delete') return JSON.stringify({ ...head, reason: event.reason });
  return JSON.stringify({ ...head, object: JSON.parse(decoder.decode(event.object)) as unknown });
}
