import type { Model } from '../model';

/** One register, empty at first, that holds a whole number. */
export type RegisterInput =
  | { readonly op: 'read' }
  | { readonly op: 'write'; readonly value: number }
  | { readonly op: 'cas'; readonly expected: number; readonly value: number };

export type RegisterOutput =
  | { readonly kind: 'value'; readonly value: number | null }
  | { readonly kind: 'done' }
  /** The compare-and-set found another value and changed nothing. */
  | { readonly kind: 'mismatch' };

export type RegisterState = number | null;

/** A register with read, write and compare-and-set, as the Jepsen tests of etcd use it. */
export const registerModel: Model<RegisterState, RegisterInput, RegisterOutput> = {
  partition: (history) => [{ key: 'register', history }],
  init: () => null,

  step(state, input, output) {
    switch (input.op) {
      case 'read':
        return output.kind === 'value' && output.value === state ? [state] : [];
      case 'write':
        return output.kind === 'done' ? [input.value] : [];
      case 'cas':
        if (output.kind === 'mismatch') return state === input.expected ? [] : [state];
        return output.kind === 'done' && state === input.expected ? [input.value] : [];
    }
  },

  stepUnknown(state, input) {
    switch (input.op) {
      case 'read':
        return [state];
      case 'write':
        return [input.value];
      case 'cas':
        return state === input.expected ? [input.value] : [state];
    }
  },

  isReadOnly: (input, output) => input.op === 'read' || output.kind === 'mismatch',
  covers: (state, other) => state === other,
  hash: (state) => state ?? -1,

  describeInput(input) {
    if (input.op === 'read') return 'read';
    return input.op === 'write' ? `write ${input.value}` : `cas ${input.expected} ${input.value}`;
  },
  describeOutput: (output) => (output.kind === 'value' ? String(output.value) : output.kind),
  describeState: String,
};
