import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Frees what only the start of the process needed, in some 30 ms. Loading a program makes V8's young generation grow
 * to its full size; it is given back by a collection at a quiet moment, and V8 looks for one only after a whole
 * collection, which an idle node has no reason for. Measured: 160 MiB resident without it; with it, 119 to 139 after ten
 * quiet seconds.
 */
export function dropStartGarbage(): void {
  // `gc` is in contexts that are made while the flag is set.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
}
