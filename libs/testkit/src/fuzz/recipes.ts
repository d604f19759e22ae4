import * as fc from 'fast-check';
import type { Mutation, Recipe } from './mutation';

/** Values that sit at the edges of length fields of every width. */
const EDGES = [0n, 1n, 7n, 8n, 12n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n]
  .concat([0xffff_ffffn, 0x1_0000_0000n, 0x1f_ffff_ffff_ffffn, 0x20_0000_0000_0000n])
  .concat([0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn]);

/** Recipes over any pool. `words` are pieces of the format's own language, such as `data:`. */
function recipes(words: readonly Uint8Array[]): fc.Arbitrary<Recipe> {
  // The first and the last bytes are where formats keep what matters.
  const at = fc.oneof(fc.nat(0xffff_ffff), fc.integer({ min: -12, max: 12 }));
  const length = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 300 }));
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 16 });
  const inserted = words.length === 0 ? bytes : fc.oneof(bytes, fc.constantFrom(...words));
  const mutation: fc.Arbitrary<Mutation> = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at, length }),
    fc.record({ kind: fc.constant('truncate' as const), at }),
    fc.record({ kind: fc.constant('insert' as const), at, bytes: inserted }),
    fc.record({ kind: fc.constant('splice' as const), at, from: at, start: at, length }),
    fc.record({ kind: fc.constant('repeat' as const), at, length, times: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('swap' as const), at, with: at, length }),
    fc.record({
      kind: fc.constant('number' as const),
      at,
      width: fc.constantFrom(1, 2, 4, 8),
      value: fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: 300n })),
      littleEndian: fc.boolean(),
    }),
  );
  return fc.record({
    base: fc.oneof(
      { arbitrary: at, weight: 19 },
      { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 1 },
    ),
    // One alone most of the time: several at once seldom leave anything that is still read.
    mutations: fc.oneof(
      fc.array(mutation, { maxLength: 1 }),
      fc.array(mutation, { minLength: 2, maxLength: 5 }),
    ),
  });
}

export interface BrokenRule {
  /** The smallest recipe that was found to break it. */
  readonly recipe: Recipe | undefined;
  readonly error: unknown;
}

/** Tries `count` recipes, the same for the same seed; gives what broke a rule, shrunk. */
export async function tryRecipes(
  options: { readonly seed: number; readonly count: number; readonly words: readonly Uint8Array[] },
  attempt: (recipe: Recipe) => Promise<void>,
): Promise<BrokenRule | undefined> {
  const details = await fc.check(fc.asyncProperty(recipes(options.words), attempt), {
    seed: options.seed,
    numRuns: options.count,
  });
  if (!details.failed) return undefined;
  return { recipe: details.counterexample?.[0], error: details.errorInstance };
}
