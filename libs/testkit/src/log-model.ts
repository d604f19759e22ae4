import type { GroupId, HardState, LogEntry, LogIndex, MemberId, Term } from '#contracts';
import type { LogStore, LogWrite } from '#replication';
import type { SimRandom } from './sim-disk';

interface ModelGroup {
  hardState: HardState;
  floorIndex: number;
  floorTerm: number;
  /** Entry `floorIndex + 1` first. */
  entries: LogEntry[];
}

/** One call of a log's user. */
export type LogCall =
  | { readonly kind: 'append'; readonly writes: readonly LogWrite[] }
  | { readonly kind: 'compact'; readonly group: GroupId; readonly index: LogIndex }
  | { readonly kind: 'forget'; readonly group: GroupId };

/**
 * The log as plain maps, with every state it goes through, one for each record. A recovered log must equal one
 * of them, not an older one than what was acknowledged.
 */
export class LogModel {
  private readonly groups = new Map<GroupId, ModelGroup>();
  /** The state, as text, before anything and after each record. */
  readonly states: string[] = ['{}'];

  lastIndex(group: GroupId): number {
    const known = this.groups.get(group);
    return known === undefined ? 0 : known.floorIndex + known.entries.length;
  }

  floorIndex(group: GroupId): number {
    return this.groups.get(group)?.floorIndex ?? 0;
  }

  apply(call: LogCall): void {
    if (call.kind === 'append') for (const write of call.writes) this.write(write);
    else if (call.kind === 'compact') this.compact(call.group, call.index);
    else if (this.groups.delete(call.group)) this.remember();
  }

  commit(group: GroupId): number {
    return this.groups.get(group)?.hardState.commit ?? 0;
  }

  private write({ group: id, reset, hardState, entries }: LogWrite): void {
    if (reset === undefined && hardState === undefined && entries.length === 0) return;
    const group = this.group(id);
    if (reset !== undefined) {
      Object.assign(group, { floorIndex: reset.index, floorTerm: reset.term, entries: [] });
      this.remember();
    }
    const firstIndex = entries[0]?.index ?? Infinity;
    if (hardState !== undefined) {
      const commit = Math.min(hardState.commit, firstIndex - 1) as LogIndex;
      group.hardState = { ...hardState, commit };
      this.remember();
    }
    for (const entry of entries) {
      group.entries = [...group.entries.slice(0, entry.index - group.floorIndex - 1), entry];
      this.remember();
    }
    if (hardState !== undefined && hardState.commit >= firstIndex) {
      group.hardState = hardState;
      this.remember();
    }
  }

  private compact(id: GroupId, index: number): void {
    const group = this.group(id);
    if (index <= group.floorIndex) return;
    group.floorTerm = group.entries[index - group.floorIndex - 1]?.term ?? 0;
    group.entries = group.entries.slice(index - group.floorIndex);
    group.floorIndex = index;
    this.remember();
  }

  private group(id: GroupId): ModelGroup {
    const known = this.groups.get(id);
    if (known !== undefined) return known;
    const hardState = { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };
    const group: ModelGroup = { hardState, floorIndex: 0, floorTerm: 0, entries: [] };
    this.groups.set(id, group);
    return group;
  }

  private remember(): void {
    const parts = [...this.groups].map(([id, group]) => groupText(id, group));
    this.states.push(stateText(parts));
  }
}

/** A log's state in the text form of {@link LogModel.states}, read through the port. */
export function logStateText(log: LogStore): string {
  const parts = log.groups().map((id) => {
    const state = log.state(id);
    if (state === undefined) throw new Error(`group ${id} is listed and has no state`);
    const { hardState, floorIndex, floorTerm, lastIndex } = state;
    const entries: LogEntry[] = [];
    while (floorIndex + entries.length < lastIndex) {
      const low = (floorIndex + entries.length + 1) as LogIndex;
      entries.push(...log.entries(id, low, (lastIndex + 1) as LogIndex, 500));
    }
    return groupText(id, { hardState, floorIndex, floorTerm, entries });
  });
  return stateText(parts);
}

/** Recovery lifts a commit index to the floor, so it is compared lifted. */
function groupText(id: GroupId, { hardState, floorIndex, floorTerm, entries }: ModelGroup): string {
  const commit = Math.max(hardState.commit, floorIndex);
  const data = entries.map((entry) => {
    const text = Buffer.from(entry.data.subarray(0, 12)).toString('latin1');
    return `${entry.index}/${entry.term}/${entry.kind}/${entry.data.byteLength}/${text}`;
  });
  return `${id}: ${hardState.term} ${hardState.vote} ${commit} | ${floorIndex}/${floorTerm} | ${data.join(' ')}`;
}

function stateText(parts: readonly string[]): string {
  return parts.length === 0 ? '{}' : [...parts].sort().join('\n');
}

const GROUPS = 3;

/** Chooses the next call as a node might make it: mostly appends, with everything else mixed in. */
export function randomLogCall(model: LogModel, random: SimRandom, longestBytes: number): LogCall {
  const group = random(GROUPS) as GroupId;
  const lastIndex = model.lastIndex(group);
  const choice = random(20);
  if (choice < 4 && lastIndex > model.floorIndex(group)) {
    const index = model.floorIndex(group) + 1 + random(lastIndex - model.floorIndex(group));
    return { kind: 'compact', group, index: index as LogIndex };
  }
  if (choice === 4 && random(4) === 0 && lastIndex > 0) return { kind: 'forget', group };
  const writes = [randomWrite(model, random, group, longestBytes)];
  const other = random(GROUPS) as GroupId;
  if (other !== group) writes.push(randomWrite(model, random, other, longestBytes));
  return { kind: 'append', writes };
}

function randomWrite(model: LogModel, random: SimRandom, group: GroupId, longestBytes: number): LogWrite {
  const lastIndex = model.lastIndex(group);
  const floorIndex = model.floorIndex(group);
  const term = (model.states.length + 1) as Term;
  const resets = random(25) === 0;
  const reset = { index: (lastIndex + random(3)) as LogIndex, term };
  const committed = Math.max(floorIndex, model.commit(group));
  const overwrites = !resets && random(5) === 0 && lastIndex > committed;
  const first = resets
    ? reset.index + 1
    : overwrites
      ? committed + 1 + random(lastIndex - committed)
      : lastIndex + 1;
  const entries = Array.from({ length: random(4) }, (_, position): LogEntry => {
    const length = random(10) === 0 ? random(longestBytes) : random(120);
    const data = Buffer.alloc(length, `${group}.${first + position}.${term};`);
    return { term, index: (first + position) as LogIndex, kind: random(8) === 0 ? 1 : 0, data };
  });
  const newLast = entries.at(-1)?.index ?? first - 1;
  const least = Math.min(committed, newLast);
  const commit = (least + random(newLast - least + 1)) as LogIndex;
  const hardState = random(3) === 0 ? { term, vote: (1 + random(5)) as MemberId, commit } : undefined;
  return {
    group,
    ...(resets ? { reset } : {}),
    ...(hardState === undefined ? {} : { hardState }),
    entries,
  };
}

/** A small generator of repeatable numbers (mulberry32): the same seed gives the same run. */
export function seededRandom(seed: number): SimRandom {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
