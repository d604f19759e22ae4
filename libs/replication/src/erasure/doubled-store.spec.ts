import { MemoryStateStore, seededRandom } from '#testkit';
import { DoubledStore } from './doubled-store';

const SEEDS = 20;
const ALL = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) };
const rowsOf = (store: MemoryStateStore): string[] =>
  [...store.scan(ALL)].map(([key, value]) => `${key[0]}=${value[0]}`);

/** Goal: a copy that is made while the state changes is the state. Method: random writes between pieces of the copy. */
test.each(Array.from({ length: SEEDS }, (_, at) => at + 1))(
  'the copy comes to the state, seed %i',
  (seed) => {
    const random = seededRandom(seed);
    const base = new MemoryStateStore();
    const copy = new MemoryStateStore();
    const write = (store: Pick<MemoryStateStore, 'write'>): void => {
      const key = (): Uint8Array => Uint8Array.of(1 + random(30));
      const puts = Array.from({ length: random(4) }, () => [key(), Uint8Array.of(random(250))] as const);
      const put = new Set(puts.map(([{ [0]: name }]) => name));
      const deletes = Array.from({ length: random(3) }, key).filter(({ [0]: name }) => !put.has(name));
      store.write({ puts, deletes });
    };
    for (let at = 0; at < 30; at++) write(base);
    const doubled = new DoubledStore(base, copy);
    const rows = [...base.scan(ALL)];
    while (rows.length > 0) {
      for (let at = random(3); at > 0; at--) write(doubled);
      doubled.copyRows(rows.splice(0, 1 + random(5)));
    }
    write(doubled);
    expect(rowsOf(copy)).toEqual(rowsOf(base));
  },
);
