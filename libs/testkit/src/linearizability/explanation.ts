import type { Operation } from './history';
import type { Model, Partition } from './model';
import type { Stuck } from './search';

/** Lines of the prefix that are printed: the end of it is what matters. */
const PREFIX_LINES = 30;

/** Says in text how far an illegal partition can be explained, and what stands in the way. */
export function explain<State, Input, Output>(
  model: Model<State, Input, Output>,
  { key, history }: Partition<Input, Output>,
  { placed, state, unplaced }: Stuck<State, Input, Output>,
): string {
  const completedCount = history.filter((operation) => operation.completion).length;
  const placedCount = placed.filter((operation) => operation.completion).length;
  const hidden = Math.max(0, placed.length - PREFIX_LINES);
  const blockedAt = Math.min(...unplaced.map((operation) => operation.completion?.returnedAt ?? Infinity));
  return [
    `${key}: not linearizable. ${placedCount} of ${completedCount} completed operations fit in this order:`,
    ...(hidden > 0 ? [`  (${hidden} before)`] : []),
    ...placed.slice(hidden).map((operation) => `  ${describeOperation(model, operation)}`),
    `which leaves: ${model.describeState(state)}`,
    `Before the answer at ${blockedAt} one of these has to come next, and none fits:`,
    ...unplaced.map((operation) => `  ${describeOperation(model, operation)}`),
  ].join('\n');
}

/** One line: when, who, what, and the answer. */
function describeOperation<Input, Output>(
  model: Pick<Model<never, Input, Output>, 'describeInput' | 'describeOutput'>,
  { process, input, calledAt, completion }: Operation<Input, Output>,
): string {
  const answer = completion ? model.describeOutput(completion.output) : 'unknown';
  return `${calledAt} ${completion?.returnedAt ?? '-'} ${process} ${model.describeInput(input)} => ${answer}`;
}
