import * as fc from 'fast-check';
import type { Command, CommitSeq, PatchOperation, Tags, WriteCommand } from '#contracts';

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

const put = fc
  .tuple(
    conditions,
    fc.record({
      op: fc.constant('put' as const),
      id: fc.constantFrom(...STATE_IDS),
      type: fc.constantFrom(...STATE_TYPES),
      bodyJson: fc.oneof(
        fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
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
        body: fc.jsonValue({ maxDepth: 2 }),
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

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: write },
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
