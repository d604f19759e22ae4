import type { History, Operation } from '../history';
import type { ObjectInput, ObjectOutput } from '../models/object-model';

const TEXT = '"(?:[^"\\\\]|\\\\.)*"';
const LINE = new RegExp(
  `^(?<calledAt>\\d+) +(?<returnedAt>\\d+|-) +(?<process>\\S+) +(?<op>put|get|delete) +(?<id>\\S+)` +
    `(?: +(?<value>${TEXT}))?(?: +if-match (?<ifMatch>\\d+))?(?<ifNoneMatch> +if-none-match \\*)? +=> +(?<answer>.+)$`,
);
const ANSWER = new RegExp(
  `^(?<kind>ok|absent|precondition_failed|unknown|(?<value>${TEXT}))(?: +(?<commitSeq>\\d+))?$`,
);

/**
 * Reads a history of objects as the checker's explanation prints it, one operation a line, `#` for comments:
 *
 *     3 7 client-1 put task-1 "done" if-match 12 => ok 13
 *     4 - client-2 delete task-1 => unknown
 *     8 9 client-3 get task-1 => "done" 13
 */
export function readObjectHistory(text: string): History<ObjectInput, ObjectOutput> {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(readOperation);
}

function readOperation(line: string): Operation<ObjectInput, ObjectOutput> {
  const fields = LINE.exec(line.trim())?.groups;
  if (!fields) throw new Error(`not an operation: ${line}`);
  const output = readOutput(fields.answer!);
  if ((output === undefined) !== (fields.returnedAt === '-'))
    throw new Error(`"-" and "unknown" go together: ${line}`);
  const operation = { process: fields.process!, input: readInput(fields), calledAt: Number(fields.calledAt) };
  return output ? { ...operation, completion: { output, returnedAt: Number(fields.returnedAt) } } : operation;
}

function readInput(fields: Record<string, string | undefined>): ObjectInput {
  const id = fields.id!;
  if (fields.op === 'get') return { op: 'get', id };
  const condition = {
    ...(fields.ifMatch === undefined ? {} : { ifMatch: Number(fields.ifMatch) }),
    ...(fields.ifNoneMatch === undefined ? {} : { ifNoneMatch: true }),
  };
  if (fields.op === 'delete') return { op: 'delete', id, ...condition };
  return { op: 'put', id, value: JSON.parse(fields.value ?? '""') as string, ...condition };
}

function readOutput(answer: string): ObjectOutput | undefined {
  const fields = ANSWER.exec(answer)?.groups;
  if (!fields) throw new Error(`not an answer: ${answer}`);
  const commitSeq = fields.commitSeq === undefined ? undefined : Number(fields.commitSeq);
  if (fields.value !== undefined) {
    if (commitSeq === undefined) throw new Error(`a value without its commit_seq: ${answer}`);
    return { kind: 'found', value: JSON.parse(fields.value) as string, commitSeq };
  }
  switch (fields.kind) {
    case 'ok':
      return { kind: 'ok', ...(commitSeq === undefined ? {} : { commitSeq }) };
    case 'absent':
      return { kind: 'absent' };
    case 'precondition_failed':
      return {
        kind: 'precondition_failed',
        ...(commitSeq === undefined ? {} : { currentCommitSeq: commitSeq }),
      };
    default:
      return undefined;
  }
}
