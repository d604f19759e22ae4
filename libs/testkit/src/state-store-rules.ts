import * as fc from 'fast-check';
import type { StateStore } from '#replication';
import { stateDigest } from '#state-machine';
import { MemoryStateStore } from './memory-state-store';
import { compareState } from './state-checks';
import { stateHistory } from './state-commands';
import { StateModel } from './state-model';
import { encodeLog, replay, sha256 } from './state-replay';

/** How a test opens the kind of store that it checks. */
export interface StateStoreHost {
  /** A new, empty store. */
  create(): Promise<StateStore>;
  /** Closes the store and opens what it left. */
  reopen(store: StateStore): Promise<StateStore>;
}

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const text = (value: Uint8Array | undefined): string | undefined =>
  value && Buffer.from(value).toString('latin1');

/** The port's rules, run over the real store and over its simulated twin. */
export function describeStateStore(name: string, host: StateStoreHost): void {
  describe(`${name} as a state store`, () => {
    let store: StateStore;
    beforeEach(async () => {
      store = await host.create();
    });
    afterEach(() => store.close());

    const put = (...pairs: [string, string][]): void =>
      store.write({ puts: pairs.map(([key, value]) => [bytes(key), bytes(value)] as const), deletes: [] });
    const scan = (range: { gte: string; lt: string; reverse?: boolean; limit?: number }): string[] =>
      [...store.scan({ ...range, gte: bytes(range.gte), lt: bytes(range.lt) })].map(
        ([key, value]) => `${text(key)}=${text(value)}`,
      );

    it('gives back what was written last, empty values too', () => {
      put(['a', '1'], ['b', '']);
      expect(text(store.get(bytes('a')))).toBe('1');
      expect(text(store.get(bytes('b')))).toBe('');
      expect(store.get(bytes('c'))).toBeUndefined();
      store.write({ puts: [[bytes('b'), bytes('2')]], deletes: [bytes('a'), bytes('never')] });
      expect(store.get(bytes('a'))).toBeUndefined();
      expect(text(store.get(bytes('b')))).toBe('2');
    });

    it('keeps copies: the writer may use its memory again', () => {
      const value = bytes('before');
      store.write({ puts: [[bytes('k'), value]], deletes: [] });
      value.fill(0);
      expect(text(store.get(bytes('k')))).toBe('before');
    });

    it('scans half-open ranges in the order of bytes, both ways, within a limit', () => {
      put(['a', '1'], ['a\0', '2'], ['b', '3'], ['\xff', '4'], ['\x7f', '5']);
      expect(scan({ gte: 'a', lt: 'b' })).toEqual(['a=1', 'a\0=2']);
      expect(scan({ gte: '\0', lt: '\xff\xff' })).toEqual(['a=1', 'a\0=2', 'b=3', '\x7f=5', '\xff=4']);
      expect(scan({ gte: 'a', lt: '\xff', reverse: true, limit: 2 })).toEqual(['\x7f=5', 'b=3']);
      expect(scan({ gte: 'a\0', lt: '\xff', limit: 1 })).toEqual(['a\0=2']);
      expect(scan({ gte: 'c', lt: 'd' })).toEqual([]);
      expect(scan({ gte: 'd', lt: 'c' })).toEqual([]);
    });

    it('pins rows of a range as of the call, and reads them in any order', () => {
      put(['a', '1'], ['b', '2'], ['bb', '3'], ['d', '4']);
      const pinned = store.pin({ gte: bytes('b'), lt: bytes('d') });
      put(['b', 'new'], ['c', 'new']);
      store.write({ puts: [], deletes: [bytes('bb')] });
      const read = (key: string): string | undefined => text(pinned.get(bytes(key)));
      expect(['bb', 'c', 'b', 'a', 'd', 'bb'].map(read)).toEqual([
        '3',
        undefined,
        '2',
        undefined,
        undefined,
        '3',
      ]);
      pinned.close();
    });

    it('scans the state as of the call, over more rows than one fetch', () => {
      const keys = Array.from({ length: 2_000 }, (_, number) => `k${String(number).padStart(5, '0')}`);
      put(...keys.map((key): [string, string] => [key, 'old']));
      const rows = store.scan({ gte: bytes('k'), lt: bytes('l') });
      put(['k00003', 'new'], ['k99999', 'new']);
      store.write({ puts: [], deletes: [bytes('k01999')] });
      const found = [...rows].map(([key, value]) => `${text(key)}=${text(value)}`);
      expect(found).toEqual(keys.map((key) => `${key}=old`));
    });

    it('lets a scan be left early', () => {
      put(['a', '1'], ['b', '2']);
      for (let round = 0; round < 100; round++) {
        for (const [key] of store.scan({ gte: bytes('a'), lt: bytes('c') })) {
          expect(text(key)).toBe('a');
          break;
        }
      }
    });

    it('has everything again after it was closed and opened', async () => {
      put(['a', '1']);
      await store.flush();
      put(['b', '2']);
      store = await host.reopen(store);
      expect(scan({ gte: 'a', lt: 'c' })).toEqual(['a=1', 'b=2']);
      expect(store.bytes()).toBeGreaterThan(0);
    });

    it('refuses to be used once closed', async () => {
      const rows = store.scan({ gte: bytes('a'), lt: bytes('c') })[Symbol.iterator]();
      await store.close();
      await store.close();
      expect(() => store.get(bytes('a'))).toThrow(/closed/);
      expect(() => put(['a', '1'])).toThrow(/closed/);
      expect(() => store.scan({ gte: bytes('a'), lt: bytes('c') })).toThrow(/closed/);
      rows.return?.();
    });

    it('holds a state that answers as the model does, through reopening', async () => {
      const seed = Number(process.env['PROPERTY_SEED'] ?? 20261123);
      await fc.assert(
        fc.asyncProperty(stateHistory, fc.nat(), async (history, cut) => {
          await store.close();
          store = await host.create();
          const log = encodeLog(history);
          replay(store, log, [3, 1, 5], cut % log.entries.length);
          store = await host.reopen(store);
          replay(store, log, [4]);
          const model = new StateModel();
          history.forEach(({ command }, index) => model.apply(command, log.timesMs[index] as number));
          expect(compareState(store, model, model.nowMs)).toBeUndefined();
          const twin = new MemoryStateStore();
          replay(twin, log, [2]);
          expect(stateDigest(store, sha256)).toBe(stateDigest(twin, sha256));
        }),
        { seed, numRuns: 15 },
      );
    }, 60_000);
  });
}
