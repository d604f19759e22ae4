import * as fc from 'fast-check';
import type { Command, CommitSeq, PatchOperation, QueryRequest, Tags, WriteCommand } from '#contracts';
import { parseWhere } from '#state-machine';

/** A command and how far the proposer's clock had moved since the one before, which may be back. */
export interface TimedCommand {
  readonly command: Command;
  readonly advanceMs: number;
}

export const STATE_NAMESPACES = ['agent://one', 'b', 'never-written'] as const;
/** Few, so that commands meet; some are prefixes of others, some sort differently as UTF-16 than as UTF-8. */
export const STATE_IDS = [
  'a',
  'ab',
  'b',
  '__proto__',
  'zo\u00eb',
  '\uffee',
  '\u{1f600}',
  'constructor',
] as const;
export const STATE_TYPES = ['object', 'task', 'constructor'] as const;
const TAG_KEYS = ['__proto__', 'constructor', 'k', 'nul\u0000key', 'k\u0000'];
const TAG_VALUES = ['', 'v', 'v\u0000', '"\\\n\u0001'];

const someTags: fc.Arbitrary<Tags> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TAG_KEYS), fc.constantFrom(...TAG_VALUES)), {
    selector: ([key]) => key,
    maxLength: 3,
  })
  .map((entries) => {
    const tags = Object.create(null) as Record<string, string>;
    for (const [key, value] of entries) tags[key] = value;
    return tags;
  });

const conditions = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ ifNoneMatch: true }) },
  { weight: 1, arbitrary: fc.nat({ max: 12 }).map((seq) => ({ ifMatch: seq as CommitSeq })) },
);

/** Places that indexes are of: the last is the first again, written otherwise. */
export const STATE_PATHS = ['$.s', '$.o.id', '$.l[-1]', '$', "$['s']"] as const;
const LONG = 'x'.repeat(255);
/** Values that meet at the edges of their order: signs, zeroes, prefixes, strings longer than what an index keeps. */
export const STATE_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, -1e300, 5e-324, 12345678901],
  ...[
    '',
    'a',
    'a\u0000',
    'ab',
    '\uffee',
    '\u{1f600}',
    `${LONG}`,
    `${LONG}y`,
    `${LONG}y1`,
    `${LONG}\u{1f600}z`,
  ],
  ...[{}, { id: 1 }, [], [1, 'a']],
];
const someValue = fc.constantFrom(...STATE_VALUES);
const shapedBody = fc
  .record(
    { s: someValue, o: fc.record({ id: someValue }), l: fc.array(someValue, { maxLength: 2 }) },
    {
      requiredKeys: [],
    },
  )
  .map((value) => JSON.stringify(value));

const put = fc
  .tuple(
    conditions,
    fc.record({
      op: fc.constant('put' as const),
      id: fc.constantFrom(...STATE_IDS),
      type: fc.constantFrom(...STATE_TYPES),
      bodyJson: fc.oneof(
        fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
        shapedBody,
        someValue.map((value) => JSON.stringify(value)),
        fc.constant('{"s":-0,"o":{"id":-0.0}}'),
        fc.constant('{"__proto__":{"x":1},"a\\"b":"}],","constructor":[{}],"n":12345678901234567890}'),
      ),
      tags: someTags,
      parents: fc.array(fc.constantFrom('p1', 'p"2'), { maxLength: 2 }),
    }),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.nat({ max: 3 }).map((ttlSeconds) => ({ ttlSeconds })) },
    ),
  )
  .map(([condition, operation, ttl]) => ({ ...operation, ...condition, ...ttl }));

const remove = fc
  .tuple(conditions, fc.constantFrom(...STATE_IDS))
  .map(([condition, id]) => ({ op: 'delete' as const, id, ...condition }));

const patch = fc
  .tuple(
    conditions,
    fc.constantFrom(...STATE_IDS),
    fc.record(
      {
        type: fc.constantFrom(...STATE_TYPES),
        body: fc.oneof(
          fc.jsonValue({ maxDepth: 2 }),
          fc.record(
            { s: fc.option(someValue), o: fc.option(fc.record({ id: someValue })) },
            { requiredKeys: [] },
          ),
        ),
        tags: fc.dictionary(fc.constantFrom(...TAG_KEYS), fc.option(fc.constantFrom(...TAG_VALUES)), {
          noNullPrototype: true,
        }),
        ttl_seconds: fc.option(fc.integer({ min: 1, max: 3 })),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([condition, id, value]): PatchOperation => {
    const patchJson = JSON.stringify(value);
    return { op: 'patch', id, format: 'merge', patchJson, limitBytes: 1_000_000, ...condition };
  });

const check = fc
  .tuple(conditions, fc.constantFrom(...STATE_IDS))
  .map(([condition, id]) => ({ op: 'check' as const, id, ...condition }));

export const LEASE_KEYS = ['l', '\u{1f600}'] as const;
const token = fc.integer({ min: 1, max: 12 });
/** Few of each, so that retries and takers of other keys' names meet. */
const guards: fc.Arbitrary<Pick<WriteCommand, 'fence' | 'idempotency'>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        fence: fc.record({ key: fc.constantFrom(...LEASE_KEYS), token }),
        idempotency: fc.record({
          key: fc.constantFrom('i', 'j'),
          fingerprint: fc.constantFrom('f', 'f', 'g'),
        }),
      },
      { requiredKeys: [] },
    ),
  },
);

const lease = fc
  .tuple(
    fc.record({
      kind: fc.constant('lease' as const),
      ns: fc.constantFrom(STATE_NAMESPACES[0], STATE_NAMESPACES[1]),
      action: fc.constantFrom('acquire' as const, 'acquire' as const, 'renew' as const, 'release' as const),
      key: fc.constantFrom(...LEASE_KEYS),
      owner: fc.constantFrom('o', 'p'),
      token,
      ttlMs: fc.constantFrom(500, 2_000, 60_000),
    }),
    guards,
  )
  .map(([command, { idempotency }]) => ({ ...command, ...(idempotency ? { idempotency } : {}) }));

const write = fc
  .tuple(
    fc.record({
      kind: fc.constant('write' as const),
      ns: fc.constantFrom(STATE_NAMESPACES[0], STATE_NAMESPACES[1]),
      operations: fc.oneof(
        {
          weight: 3,
          arbitrary: fc.array(
            fc.oneof({ weight: 4, arbitrary: put }, { weight: 2, arbitrary: patch }, remove, check),
            { minLength: 1, maxLength: 1 },
          ),
        },
        { weight: 1, arbitrary: fc.array(fc.oneof(put, remove, patch, check), { maxLength: 4 }) },
      ),
    }),
    guards,
  )
  .map(([command, guard]) => ({ ...command, ...guard }));

/** Which places have indexes changes while they are built: steps are small, so that much happens between them. */
const indexing: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('indexes' as const),
    ns: fc.constantFrom(STATE_NAMESPACES[0], STATE_NAMESPACES[1]),
    paths: fc.subarray([...STATE_PATHS]),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('build' as const),
      ns: fc.constantFrom(STATE_NAMESPACES[0], STATE_NAMESPACES[1]),
      limit: fc.integer({ min: 1, max: 4 }),
      limitBytes: fc.constantFrom(1, 1_000, 1_000_000),
    }),
  },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: write },
  { weight: 4, arbitrary: indexing },
  { weight: 3, arbitrary: lease },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), limit: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      retentionMs: fc.constantFrom(0, 2000, 1_000_000),
      retentionCommits: fc.constantFrom(0, 1, 5, 1000),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
);

/** Histories in which commands meet, clocks go back, objects expire and history is forgotten. */
export const stateHistory: fc.Arbitrary<readonly TimedCommand[]> = fc.array(
  fc.record({ command, advanceMs: fc.oneof(fc.constant(0), fc.integer({ min: -1500, max: 2500 })) }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

const stored = fc.record({
  op: fc.constant('put' as const),
  id: fc.constantFrom(...STATE_IDS),
  type: fc.constantFrom(...STATE_TYPES),
  bodyJson: shapedBody,
  tags: someTags,
  parents: fc.constant([]),
});

/** Histories of a namespace whose indexes are complete and whose objects have values at their places, for queries. */
export const indexedHistory: fc.Arbitrary<readonly TimedCommand[]> = fc
  .tuple(fc.uniqueArray(stored, { selector: ({ id }) => id, minLength: 4 }), stateHistory)
  .map(([operations, history]) => {
    const ns = STATE_NAMESPACES[0];
    const begin: Command[] = [
      { kind: 'indexes', ns, paths: [...STATE_PATHS] },
      { kind: 'write', ns, operations },
    ];
    return [...begin.map((command) => ({ command, advanceMs: 0 })), ...history];
  });

const operatorOf = fc.oneof(
  fc.tuple(fc.constantFrom('eq' as const, 'ne' as const), someValue),
  fc.tuple(
    fc.constantFrom('gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
    fc.constantFrom(
      ...STATE_VALUES.filter((value) => typeof value === 'number' || typeof value === 'string'),
    ),
  ),
  fc.tuple(fc.constant('in' as const), fc.array(someValue, { maxLength: 4 })),
  fc.tuple(fc.constant('exists' as const), fc.boolean()),
);

/** Queries of bodies, with several conditions on one place among them. */
export const stateQuery: fc.Arbitrary<QueryRequest> = fc
  .tuple(
    fc.array(
      fc.tuple(fc.constantFrom(...STATE_PATHS), fc.array(operatorOf, { minLength: 1, maxLength: 2 })),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    fc.record(
      {
        type: fc.constantFrom(...STATE_TYPES),
        prefix: fc.constantFrom('a', ''),
        tags: fc.constant({ k: 'v' }),
      },
      { requiredKeys: [] },
    ),
    fc.record({
      kind: fc.constant('query' as const),
      ns: fc.constantFrom(STATE_NAMESPACES[0], ...STATE_NAMESPACES),
      order: fc.constantFrom('id' as const, 'commit_seq' as const, '-commit_seq' as const),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  )
  .map(([conditions, filter, request]): QueryRequest => {
    const where = conditions.flatMap(([path, operators]) => {
      const parsed = parseWhere({ [path]: Object.fromEntries(operators) });
      if (parsed.kind === 'malformed') throw new Error(`${path}: ${parsed.error.reason}`);
      return parsed.conditions;
    });
    return { ...request, ...filter, where };
  });
