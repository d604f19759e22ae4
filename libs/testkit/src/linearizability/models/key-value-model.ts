import { hashText, partitionByKey, type Model } from '../model';

/** Texts by key, each empty at first. */
export type KeyValueInput =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'put' | 'append'; readonly key: string; readonly value: string };

export type KeyValueOutput = { readonly kind: 'value'; readonly value: string } | { readonly kind: 'done' };

/** A key-value store with get, put and append. Appending makes every lost or doubled write visible for good. */
export const keyValueModel: Model<string, KeyValueInput, KeyValueOutput> = {
  partition: (history) => partitionByKey(history, ({ key }) => key),
  init: () => '',

  step(state, input, output) {
    if (input.op === 'get') return output.kind === 'value' && output.value === state ? [state] : [];
    return output.kind === 'done' ? [write(state, input)] : [];
  },

  stepUnknown(state, input) {
    if (input.op === 'get') return [state];
    return [write(state, input)];
  },

  isReadOnly: (input) => input.op === 'get',
  covers: (state, other) => state === other,
  hash: hashText,

  describeInput(input) {
    const target = `${input.op} ${input.key}`;
    return input.op === 'get' ? target : `${target} ${JSON.stringify(input.value)}`;
  },
  describeOutput: (output) => (output.kind === 'value' ? JSON.stringify(output.value) : output.kind),
  describeState: (state) => JSON.stringify(state),
};

function write(state: string, { op, value }: Exclude<KeyValueInput, { op: 'get' }>): string {
  return op === 'put' ? value : state + value;
}
