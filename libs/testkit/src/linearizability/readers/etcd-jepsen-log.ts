import { HistoryRecorder, type History } from '../history';
import type { RegisterInput, RegisterOutput } from '../models/register-model';

const EVENT = /(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.+?)\s*$/;

/**
 * Reads the log of a Jepsen register test. `:info` says that the outcome is unknown, and so says a read that failed
 * with a timeout; both are left without completion, as is what the log ends before.
 */
export function readEtcdJepsenLog(text: string): History<RegisterInput, RegisterOutput> {
  const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>();
  const openHandles = new Map<string, number>();
  for (const line of text.split('\n')) {
    const event = EVENT.exec(line);
    if (!event) continue;
    const [, process, type, op, value] = event as unknown as [string, string, string, string, string];
    if (type === 'invoke') {
      openHandles.set(process, recorder.call(process, readInput(op, value)));
      continue;
    }
    const handle = openHandles.get(process);
    if (handle === undefined) throw new Error(`an answer without a call: ${line}`);
    openHandles.delete(process);
    if (type === 'info' || (type === 'fail' && op !== 'cas')) continue;
    if (type === 'fail') recorder.complete(handle, { kind: 'mismatch' });
    else if (op === 'read') recorder.complete(handle, { kind: 'value', value: readValue(value) });
    else recorder.complete(handle, { kind: 'done' });
  }
  return recorder.history();
}

function readInput(op: string, value: string): RegisterInput {
  if (op === 'read') return { op };
  if (op === 'write') return { op, value: Number(value) };
  const pair = /^\[(\d+) (\d+)\]$/.exec(value);
  if (!pair) throw new Error(`not a compare-and-set: ${value}`);
  return { op: 'cas', expected: Number(pair[1]), value: Number(pair[2]) };
}

function readValue(value: string): number | null {
  return value === 'nil' ? null : Number(value);
}
