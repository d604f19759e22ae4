import { HistoryRecorder, type History } from '../history';
import type { KeyValueInput, KeyValueOutput } from '../models/key-value-model';

const EVENT =
  /^\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key ("[^"]*"), :value (nil|"[^"]*")\}$/;

/** Reads a key-value history in EDN, one event a line. What it ends before is of unknown outcome. */
export function readKeyValueEdn(text: string): History<KeyValueInput, KeyValueOutput> {
  const recorder = new HistoryRecorder<KeyValueInput, KeyValueOutput>();
  const openHandles = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const event = EVENT.exec(line);
    if (!event) throw new Error(`not an event: ${line}`);
    const [, process, type, op, quotedKey, quotedValue] = event as unknown as string[] & { length: 6 };
    const key = JSON.parse(quotedKey!) as string;
    const value = quotedValue === 'nil' ? '' : (JSON.parse(quotedValue!) as string);
    if (type === 'invoke') {
      const input: KeyValueInput = op === 'get' ? { op, key } : { op: op as 'put' | 'append', key, value };
      openHandles.set(process!, recorder.call(process!, input));
      continue;
    }
    const handle = openHandles.get(process!);
    if (handle === undefined) throw new Error(`an answer without a call: ${line}`);
    openHandles.delete(process!);
    recorder.complete(handle, op === 'get' ? { kind: 'value', value } : { kind: 'done' });
  }
  return recorder.history();
}
