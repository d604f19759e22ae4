import { hashText, partitionByKey, type Model } from '../model';
import {
  canBe,
  canPrecede,
  coversVersion,
  describeVersion,
  exactly,
  NO_VERSION,
  otherThan,
  someLaterThan,
  type ObjectVersion,
} from './object-version';

/** Operations on objects of one namespace, as clients of AgentState see them. Values are compared as text. */
export type ObjectInput = ObjectPut | ObjectGet | ObjectDelete;

/** What must hold of the current version: that its `commit_seq` is this, or that there is none. */
export interface ObjectCondition {
  readonly ifMatch?: number;
  readonly ifNoneMatch?: boolean;
}

export interface ObjectPut extends ObjectCondition {
  readonly op: 'put';
  readonly id: string;
  readonly value: string;
  /** The same for all that happens at one position. What was refused whole is left out of the history. */
  readonly batch?: string;
}

export interface ObjectGet {
  readonly op: 'get';
  readonly id: string;
}

export interface ObjectDelete extends ObjectCondition {
  readonly op: 'delete';
  readonly id: string;
  readonly batch?: string;
}

export type ObjectOutput =
  /** A put, or a delete, which need not say its position. */
  | { readonly kind: 'ok'; readonly commitSeq?: number }
  | { readonly kind: 'found'; readonly value: string; readonly commitSeq: number }
  /** A get or a delete that found nothing. */
  | { readonly kind: 'absent' }
  /** `currentCommitSeq`: 0 or left out when there is no object. */
  | { readonly kind: 'precondition_failed'; readonly currentCommitSeq?: number };

export interface ObjectState {
  /** Null when there is no object. */
  readonly value: string | null;
  /** Of the newest write, which may be a delete: positions are never used again. */
  readonly version: ObjectVersion;
}

/**
 * An object with conditional put, conditional delete and get, one partition per id. Every write takes a `commit_seq`
 * above all that the id had before. The order of positions over several ids is `findCommitOrderFaults`'s to check.
 */
export const objectModel: Model<ObjectState, ObjectInput, ObjectOutput> = {
  partition: (history) =>
    partitionByKey(
      history.filter(({ input, completion }) => completion || input.op !== 'get'),
      ({ id }) => id,
    ),
  init: () => ({ value: null, version: NO_VERSION }),

  step(state, input, output) {
    if (input.op === 'get') return read(state, output);
    switch (output.kind) {
      case 'ok':
        return write(state, input, output.commitSeq);
      case 'absent':
        return input.op === 'delete' && state.value === null ? [state] : [];
      case 'precondition_failed':
        return refuse(state, input, output.currentCommitSeq);
      case 'found':
        return [];
    }
  },

  stepUnknown(state, input) {
    return input.op === 'get' ? [state] : write(state, input, undefined);
  },

  isReadOnly: (_input, output) => output.kind !== 'ok',
  // Of a version that is gone only this matters: what comes next has to be later.
  covers: (state, other) =>
    state.value === other.value &&
    (state.value === null
      ? state.version.commitSeq <= other.version.commitSeq
      : coversVersion(state.version, other.version)),
  hash: ({ value }) => (value === null ? 0 : hashText(value)),

  describeInput(input) {
    const value = input.op === 'put' ? ` ${JSON.stringify(input.value)}` : '';
    return `${input.op} ${input.id}${value}${input.op === 'get' ? '' : describeCondition(input)}`;
  },
  describeOutput(output) {
    switch (output.kind) {
      case 'ok':
        return output.commitSeq === undefined ? 'ok' : `ok ${output.commitSeq}`;
      case 'found':
        return `${JSON.stringify(output.value)} ${output.commitSeq}`;
      case 'absent':
        return 'absent';
      case 'precondition_failed':
        return output.currentCommitSeq === undefined
          ? output.kind
          : `${output.kind} ${output.currentCommitSeq}`;
    }
  },
  describeState: ({ value, version }) =>
    `${value === null ? 'no object' : JSON.stringify(value)}, ${describeVersion(version)}`,
};

function read(state: ObjectState, output: ObjectOutput): readonly ObjectState[] {
  if (output.kind === 'absent') return state.value === null ? [state] : [];
  if (output.kind !== 'found' || output.value !== state.value) return [];
  return pin(state, output.commitSeq);
}

/** The state, knowing its version's position. */
function pin(state: ObjectState, commitSeq: number): readonly ObjectState[] {
  if (!canBe(state.version, commitSeq)) return [];
  return state.version.isExact ? [state] : [{ value: state.value, version: exactly(commitSeq) }];
}

/** The write took effect, at this position if anybody saw it. */
function write(
  state: ObjectState,
  input: ObjectPut | ObjectDelete,
  commitSeq: number | undefined,
): readonly ObjectState[] {
  const isPresent = state.value !== null;
  if (input.ifNoneMatch && isPresent) return [];
  if (input.op === 'delete' && !isPresent) return [];
  let before = state.version;
  if (input.ifMatch !== undefined) {
    if (!isPresent || !canBe(before, input.ifMatch)) return [];
    before = exactly(input.ifMatch);
  }
  if (commitSeq !== undefined && !canPrecede(before, commitSeq)) return [];
  const version = commitSeq === undefined ? someLaterThan(before) : exactly(commitSeq);
  return [{ value: input.op === 'put' ? input.value : null, version }];
}

/** The write was refused because its condition did not hold. */
function refuse(
  state: ObjectState,
  { ifMatch, ifNoneMatch }: ObjectCondition,
  currentCommitSeq: number | undefined,
): readonly ObjectState[] {
  if (state.value === null) return ifMatch !== undefined && !currentCommitSeq ? [state] : [];
  if (currentCommitSeq !== undefined)
    return ifNoneMatch || currentCommitSeq !== ifMatch ? pin(state, currentCommitSeq) : [];
  if (ifNoneMatch) return [state];
  const version = ifMatch === undefined ? undefined : otherThan(state.version, ifMatch);
  return version ? [{ value: state.value, version }] : [];
}

function describeCondition({ ifMatch, ifNoneMatch }: ObjectCondition): string {
  return `${ifMatch === undefined ? '' : ` if-match ${ifMatch}`}${ifNoneMatch ? ' if-none-match *' : ''}`;
}
