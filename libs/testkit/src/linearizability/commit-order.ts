import type { History, Operation } from './history';
import type { ObjectInput, ObjectOutput } from './models/object-model';

/**
 * Checks the positions of one namespace over all its ids, which a check by id cannot: no two writes have the same
 * `commit_seq` unless they are one batch, which has one; a write has one above every position that anybody had been
 * told before it was called; and no read finds less than what was written up to such a position, so that nobody who
 * has seen a part of a batch misses another. Returns one line per fault, none for a sound history.
 */
export function findCommitOrderFaults(history: History<ObjectInput, ObjectOutput>): string[] {
  const faults: string[] = [];
  const writeAt = new Map<number, Operation<ObjectInput, ObjectOutput>>();
  const batchAt = new Map<string, number>();
  const written = positionsWritten(history);
  const answers = history
    .flatMap(({ completion }) => (completion ? [completion] : []))
    .sort((left, right) => left.returnedAt - right.returnedAt);
  const byCall = history.toSorted((left, right) => left.calledAt - right.calledAt);

  let highestTold = 0;
  let answerCount = 0;
  for (const operation of byCall) {
    for (; answerCount < answers.length; answerCount++) {
      const { output, returnedAt } = answers[answerCount]!;
      if (returnedAt >= operation.calledAt) break;
      highestTold = Math.max(highestTold, toldCommitSeq(output));
    }
    const output = operation.completion?.output;
    if (output?.kind === 'found') {
      const newer = written.get(operation.input.id)?.find((at) => at > output.commitSeq && at <= highestTold);
      if (newer !== undefined)
        faults.push(
          `get ${operation.input.id} called at ${operation.calledAt} found ${output.commitSeq}, though ${newer} was written and ${highestTold} was known before`,
        );
    }
    if (output?.kind !== 'ok' || output.commitSeq === undefined) continue;
    const { commitSeq } = output;
    const called = `${operation.input.op} ${operation.input.id} called at ${operation.calledAt}`;
    if (commitSeq <= highestTold)
      faults.push(`${called} took commit_seq ${commitSeq}, though ${highestTold} was known before`);
    const other = writeAt.get(commitSeq);
    if (other && !isOneBatch(other.input, operation.input))
      faults.push(
        `${called} and ${other.input.op} ${other.input.id} called at ${other.calledAt} both took commit_seq ${commitSeq}`,
      );
    writeAt.set(commitSeq, operation);
    const batch = operation.input.op === 'get' ? undefined : operation.input.batch;
    if (batch === undefined) continue;
    const whole = batchAt.get(batch) ?? commitSeq;
    batchAt.set(batch, whole);
    if (whole !== commitSeq)
      faults.push(`${called} took commit_seq ${commitSeq}, others of its batch ${whole}`);
  }
  return faults;
}

/** The positions at which each id is known to have been written, put or deleted. */
function positionsWritten(
  history: History<ObjectInput, ObjectOutput>,
): ReadonlyMap<string, readonly number[]> {
  const positions = new Map<string, number[]>();
  for (const { input, completion } of history) {
    const output = completion?.output;
    if (output?.kind !== 'ok' || output.commitSeq === undefined) continue;
    const known = positions.get(input.id) ?? [];
    known.push(output.commitSeq);
    positions.set(input.id, known);
  }
  return positions;
}

function isOneBatch(one: ObjectInput, other: ObjectInput): boolean {
  return one.op !== 'get' && other.op !== 'get' && one.batch !== undefined && one.batch === other.batch;
}

function toldCommitSeq(output: ObjectOutput): number {
  switch (output.kind) {
    case 'ok':
    case 'found':
      return output.commitSeq ?? 0;
    case 'precondition_failed':
      return output.currentCommitSeq ?? 0;
    case 'absent':
      return 0;
  }
}
