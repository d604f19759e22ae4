import { hashText, partitionByKey, type Model } from '../model';
import {
  canBe,
  canPrecede,
  coversVersion,
  describeVersion,
  exactly,
  otherThan,
  someLaterThan,
  type ObjectVersion,
} from './object-version';

/** Operations on the leases of one namespace, and writes that name one, as clients of AgentState see them. */
export type LeaseInput =
  | { readonly op: 'acquire'; readonly key: string; readonly owner: string; readonly ttlMs: number }
  | {
      readonly op: 'renew';
      readonly key: string;
      readonly owner: string;
      readonly token: number;
      readonly ttlMs: number;
    }
  | { readonly op: 'release'; readonly key: string; readonly owner: string; readonly token: number }
  | { readonly op: 'read'; readonly key: string }
  /** A write that happens only while the lease is held under this token. What it writes is another history's. */
  | { readonly op: 'guard'; readonly key: string; readonly token: number };

export interface LeaseHolder {
  readonly owner: string;
  readonly expiresAtMs: number;
}

export type LeaseOutput =
  /** Of acquire, renew and read. */
  | ({ readonly kind: 'held'; readonly token: number } & LeaseHolder)
  | ({ readonly kind: 'lease_held' } & LeaseHolder)
  /** With whoever holds the lease instead, if anybody does. */
  | { readonly kind: 'lease_lost'; readonly holder?: LeaseHolder }
  | { readonly kind: 'released' }
  /** Of a read. */
  | { readonly kind: 'absent' }
  /** The write's lease was held; its position and the log's time there, when it wrote something. */
  | { readonly kind: 'passed'; readonly commitSeq?: number; readonly tsMs?: number }
  | { readonly kind: 'fence_stale' };

interface Held {
  readonly owner: string;
  /** A token is the position at which the lease was taken. */
  readonly token: ObjectVersion;
  /** The moment itself when `isExpiryExact`, else the earliest that it can be: nobody saw the answer. */
  readonly expiresAtMs: number;
  readonly isExpiryExact: boolean;
}

export interface LeaseState {
  /** Null when it was given up, never taken, or known to have ended. */
  readonly held: Held | null;
  /** What comes next has a position above this one. */
  readonly position: number;
  /** The log's time is at least this, and never goes back. */
  readonly timeMs: number;
}

type Of<Op extends LeaseInput['op']> = Extract<LeaseInput, { op: Op }>;

const NOBODY: readonly never[] = [];

/**
 * A lease with fencing, one partition per key: tokens only grow, nobody takes a lease before its holder has given it
 * up or the log's time has passed its end, and a write passes only under the token of whoever holds it then. The
 * log's time comes with the answers: a lease that was taken or prolonged for a time ends that long after it.
 */
export const leaseModel: Model<LeaseState, LeaseInput, LeaseOutput> = {
  partition: (history) =>
    partitionByKey(
      history.filter(({ input, completion }) => completion || (input.op !== 'read' && input.op !== 'guard')),
      ({ key }) => key,
    ),
  init: () => ({ held: null, position: 0, timeMs: 0 }),

  step(state, input, output) {
    switch (output.kind) {
      case 'held':
        if (input.op === 'acquire') return acquire(state, input, output);
        if (input.op === 'renew') return renew(state, input, output);
        return input.op === 'read' ? pinned(state, output, output.token) : NOBODY;
      case 'lease_held':
        return input.op === 'acquire' && output.owner !== input.owner ? pinned(state, output) : NOBODY;
      case 'lease_lost':
        return input.op === 'renew' || input.op === 'release' ? lost(state, input, output.holder) : NOBODY;
      case 'released':
        return input.op === 'release' ? release(state, input) : NOBODY;
      case 'absent':
        return input.op === 'read' ? ended(state) : NOBODY;
      case 'passed':
        return input.op === 'guard' ? pass(state, input, output) : NOBODY;
      case 'fence_stale':
        return input.op === 'guard' ? stale(state, input.token) : NOBODY;
    }
  },

  stepUnknown(state, input) {
    switch (input.op) {
      case 'acquire':
        return acquireUnseen(state, input);
      case 'renew':
        return ownedBy(state, input).map((held) => ({
          ...after(state, input.token),
          held: { ...held, expiresAtMs: state.timeMs + input.ttlMs, isExpiryExact: false },
        }));
      case 'release':
        return release(state, input);
      case 'read':
      case 'guard':
        return [state];
    }
  },

  isReadOnly: ({ op }, { kind }) =>
    op === 'read' || !(kind === 'held' || kind === 'released' || kind === 'passed'),
  covers: (state, other) =>
    state.position <= other.position && state.timeMs <= other.timeMs && coversHeld(state.held, other.held),
  hash: ({ held }) => (held === null ? 0 : hashText(held.owner)),

  describeInput(input) {
    const owner = 'owner' in input ? ` by ${input.owner}` : '';
    const token = 'token' in input ? ` under ${input.token}` : '';
    return `${input.op} ${input.key}${owner}${token}${'ttlMs' in input ? ` for ${input.ttlMs}` : ''}`;
  },
  describeOutput(output) {
    const holder = output.kind === 'lease_lost' ? output.holder : 'owner' in output ? output : undefined;
    const token = output.kind === 'held' ? ` ${output.token}` : '';
    const place = output.kind === 'passed' ? ` ${output.commitSeq ?? ''} ${output.tsMs ?? ''}`.trimEnd() : '';
    return `${output.kind}${token}${place}${holder ? ` by ${holder.owner} until ${holder.expiresAtMs}` : ''}`;
  },
  describeState({ held, position, timeMs }) {
    const since = `from position ${position} and time ${timeMs} on`;
    if (held === null) return `held by nobody, ${since}`;
    const until = `${held.isExpiryExact ? '' : 'at least '}${held.expiresAtMs}`;
    return `held by ${held.owner} until ${until}, token: ${describeVersion(held.token)}, ${since}`;
  },
};

/** Taken: by whoever holds it already, or after that one's time. */
function acquire(
  state: LeaseState,
  { owner, ttlMs }: Of<'acquire'>,
  output: LeaseHolder & { readonly token: number },
): readonly LeaseState[] {
  const tsMs = output.expiresAtMs - ttlMs;
  if (output.owner !== owner || tsMs < state.timeMs || output.token <= state.position) return NOBODY;
  const { held } = state;
  if (held !== null && !canPrecede(held.token, output.token)) return NOBODY;
  if (held !== null && held.owner !== owner && held.expiresAtMs > tsMs) return NOBODY;
  const { token, expiresAtMs } = output;
  return [
    {
      held: { owner, token: exactly(token), expiresAtMs, isExpiryExact: true },
      position: token,
      timeMs: tsMs,
    },
  ];
}

function acquireUnseen(state: LeaseState, { owner, ttlMs }: Of<'acquire'>): readonly LeaseState[] {
  const { held } = state;
  const isOthers = held !== null && held.owner !== owner;
  const timeMs = isOthers ? Math.max(state.timeMs, held.expiresAtMs) : state.timeMs;
  const token = someLaterThan(exactly(state.position));
  return [
    {
      held: { owner, token, expiresAtMs: timeMs + ttlMs, isExpiryExact: false },
      position: token.commitSeq,
      timeMs,
    },
  ];
}

function renew(
  state: LeaseState,
  input: Of<'renew'>,
  { owner, token, expiresAtMs }: LeaseHolder & { readonly token: number },
): readonly LeaseState[] {
  const tsMs = expiresAtMs - input.ttlMs;
  if (owner !== input.owner || token !== input.token || tsMs < state.timeMs) return NOBODY;
  return ownedBy(state, input)
    .filter((held) => isLive(held, tsMs))
    .map((held) => ({
      held: { ...held, expiresAtMs, isExpiryExact: true },
      position: after(state, token).position,
      timeMs: tsMs,
    }));
}

function release(state: LeaseState, input: Of<'release'>): readonly LeaseState[] {
  return ownedBy(state, input)
    .filter((held) => isLive(held, state.timeMs))
    .map(() => ({ ...after(state, input.token), held: null }));
}

/** A write under the lease: its position and time are later than all before. */
function pass(
  state: LeaseState,
  { token }: Of<'guard'>,
  { commitSeq, tsMs = state.timeMs }: { readonly commitSeq?: number; readonly tsMs?: number },
): readonly LeaseState[] {
  const { held } = state;
  if (held === null || !canBe(held.token, token) || !isLive(held, tsMs) || tsMs < state.timeMs) return NOBODY;
  const { position } = after(state, token);
  if (commitSeq !== undefined && commitSeq <= position) return NOBODY;
  const expiresAtMs = Math.max(held.expiresAtMs, tsMs + 1);
  return [
    { held: { ...held, token: exactly(token), expiresAtMs }, position: commitSeq ?? position, timeMs: tsMs },
  ];
}

/** A write that was refused: the lease has ended, or it is held under another token. */
function stale(state: LeaseState, token: number): readonly LeaseState[] {
  if (state.held === null || !canBe(state.held.token, token)) return [state];
  return [...underAnother(state, token), ...ended(state)];
}

/** The lease is not held by this owner under this token. */
function lost(
  state: LeaseState,
  { owner, token }: Of<'renew' | 'release'>,
  holder: LeaseHolder | undefined,
): readonly LeaseState[] {
  if (holder === undefined) return ended(state);
  const states = pinned(state, holder);
  if (holder.owner !== owner) return states;
  return states.flatMap((known) => underAnother(known, token));
}

/** The holder as the answer has it, which is not past its time. */
function pinned(
  state: LeaseState,
  { owner, expiresAtMs }: LeaseHolder,
  token?: number,
): readonly LeaseState[] {
  const { held } = state;
  if (held?.owner !== owner || expiresAtMs <= state.timeMs) return NOBODY;
  if (held.isExpiryExact ? held.expiresAtMs !== expiresAtMs : held.expiresAtMs > expiresAtMs) return NOBODY;
  if (token !== undefined && !canBe(held.token, token)) return NOBODY;
  const known = { ...held, expiresAtMs, isExpiryExact: true };
  if (token === undefined) return [{ ...state, held: known }];
  return [{ ...after(state, token), held: { ...known, token: exactly(token) } }];
}

/** Nobody holds the lease, if need be because the log's time is past its end. */
function ended(state: LeaseState): readonly LeaseState[] {
  const { held } = state;
  if (held === null) return [state];
  return [{ ...state, held: null, timeMs: Math.max(state.timeMs, held.expiresAtMs) }];
}

/** Somebody holds the lease under another token. */
function underAnother(state: LeaseState, token: number): readonly LeaseState[] {
  const { held } = state;
  const other = held === null || !isLive(held, state.timeMs) ? undefined : otherThan(held.token, token);
  return held === null || other === undefined ? NOBODY : [{ ...state, held: { ...held, token: other } }];
}

/** The holder with this token, if it can be that one. */
function ownedBy({ held }: LeaseState, { owner, token }: Of<'renew' | 'release'>): readonly Held[] {
  if (held?.owner !== owner || !canBe(held.token, token)) return NOBODY;
  return [{ ...held, token: exactly(token) }];
}

/** The state, knowing that the position was given out. */
function after(state: LeaseState, position: number): LeaseState {
  return position <= state.position ? state : { ...state, position };
}

/** Whether the lease may last beyond that time. */
function isLive({ expiresAtMs, isExpiryExact }: Held, tsMs: number): boolean {
  return !isExpiryExact || expiresAtMs > tsMs;
}

function coversHeld(held: Held | null, other: Held | null): boolean {
  if (held === null || other === null) return held === other;
  if (held.owner !== other.owner || !coversVersion(held.token, other.token)) return false;
  if (!held.isExpiryExact) return held.expiresAtMs <= other.expiresAtMs;
  return other.isExpiryExact && held.expiresAtMs === other.expiresAtMs;
}
