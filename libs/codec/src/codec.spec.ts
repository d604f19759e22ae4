import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  TENANCY_STATES,
  type Command,
  type CommandOutcome,
  type CommitSeq,
  type GroupId,
  type ReadOutcome,
  type ReadRequest,
} from '#contracts';
import * as codec from './index';

const wellFormed = fc.string({ unit: 'binary' });
const tags = fc
  .array(fc.tuple(fc.oneof(wellFormed, fc.constant('__proto__')), wellFormed), { maxLength: 5 })
  .map((entries) => {
    const made = Object.create(null) as Record<string, string>;
    for (const [key, value] of entries) made[key] = value;
    return made;
  });
const conditions = fc.record(
  { ifMatch: fc.maxSafeNat() as fc.Arbitrary<CommitSeq>, ifNoneMatch: fc.constant(true) },
  { requiredKeys: [] },
);
const put = fc
  .tuple(
    conditions,
    fc.record({
      op: fc.constant('put' as const),
      id: wellFormed,
      type: wellFormed,
      bodyJson: fc.json(),
      tags,
      parents: fc.array(wellFormed, { maxLength: 3 }),
    }),
    fc.record({ ttlSeconds: fc.nat() }, { requiredKeys: [] }),
  )
  .map(([condition, operation, ttl]) => ({ ...condition, ...operation, ...ttl }));
const remove = fc
  .tuple(conditions, wellFormed)
  .map(([condition, id]) => ({ op: 'delete' as const, id, ...condition }));
const check = fc
  .tuple(conditions, wellFormed)
  .map(([condition, id]) => ({ op: 'check' as const, id, ...condition }));
const patch = fc
  .tuple(
    conditions,
    fc.record({
      op: fc.constant('patch' as const),
      id: wellFormed,
      format: fc.constantFrom('merge' as const, 'json' as const),
      patchJson: fc.json(),
      limitBytes: fc.maxSafeNat(),
    }),
  )
  .map(([condition, operation]) => ({ ...condition, ...operation }));
const ns = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/~-]{0,254}$/);
const idempotency = fc.record({ key: wellFormed, fingerprint: wellFormed });
const fence = fc.record({ key: wellFormed, token: fc.maxSafeNat() });
const place = fc.record({ table: fc.nat({ max: 255 }), rest: fc.uint8Array() });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('write' as const),
      ns,
      operations: fc.array(fc.oneof(put, remove, patch, check), { maxLength: 4 }),
      idempotency,
      fence,
    },
    { requiredKeys: ['kind', 'ns', 'operations'] },
  ),
  fc.record(
    {
      kind: fc.constant('lease' as const),
      ns,
      action: fc.constantFrom('acquire' as const, 'renew' as const, 'release' as const),
      key: wellFormed,
      owner: wellFormed,
      token: fc.integer({ min: 1 }),
      ttlMs: fc.integer({ min: 1 }),
      idempotency,
    },
    { requiredKeys: ['kind', 'ns', 'action', 'key', 'owner'] },
  ),
  fc.record({ kind: fc.constant('expire' as const), limit: fc.maxSafeNat() }),
  fc.record({
    kind: fc.constant('compact' as const),
    retentionMs: fc.maxSafeNat(),
    retentionCommits: fc.maxSafeNat(),
    limit: fc.maxSafeNat(),
  }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    snapshotId: wellFormed,
    createdMs: fc.maxSafeNat().map((value) => value % 2 ** 48),
    groups: fc.array(fc.nat({ max: 2 ** 32 - 1 }) as fc.Arbitrary<GroupId>, { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('tenancy' as const),
    ns,
    generation: fc.maxSafeNat(),
    state: fc.constantFrom(...TENANCY_STATES),
    seqFloor: fc.maxSafeNat() as fc.Arbitrary<CommitSeq>,
  }),
  fc.record({
    kind: fc.constant('import' as const),
    ns,
    generation: fc.maxSafeNat(),
    rows: fc.uint8Array(),
  }),
  fc.record(
    { kind: fc.constant('erase' as const), ns, limit: fc.maxSafeNat(), from: place },
    { requiredKeys: ['kind', 'ns', 'limit'] },
  ),
  fc.record({ kind: fc.constant('indexes' as const), ns, paths: fc.array(wellFormed, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('build' as const),
    ns,
    limit: fc.maxSafeNat(),
    limitBytes: fc.maxSafeNat(),
  }),
);
const time = fc.maxSafeNat().map((value) => value % 2 ** 48);

fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 20261123) });

describe('numbers and strings', () => {
  it('reads back what was written, at the edges of every width', () => {
    const writer = new codec.ByteWriter(1);
    const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1];
    for (const value of numbers) writer.u48(value);
    for (const value of [...numbers, Number.MAX_SAFE_INTEGER]) {
      writer.u64(value);
      writer.varint(value);
    }
    writer.u8(255);
    writer.u16(65_535);
    writer.u32(2 ** 32 - 1);
    const reader = new codec.ByteReader(writer.finish());
    for (const value of numbers) expect(reader.u48()).toBe(value);
    for (const value of [...numbers, Number.MAX_SAFE_INTEGER]) {
      expect(reader.u64()).toBe(value);
      expect(reader.varint()).toBe(value);
    }
    expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([255, 65_535, 2 ** 32 - 1]);
    reader.expectEnd('the numbers');
  });

  it('refuses numbers that would be rounded, and bytes that end early', () => {
    const writer = new codec.ByteWriter(16);
    expect(() => writer.u64(2 ** 53)).toThrow(RangeError);
    expect(() => writer.u48(2 ** 48)).toThrow(RangeError);
    expect(() => writer.varint(1.5)).toThrow(RangeError);
    expect(() => writer.varint(-1)).toThrow(RangeError);
    const huge = new codec.ByteReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f));
    expect(() => huge.varint()).toThrow(codec.CodecError);
    expect(() => new codec.ByteReader(Uint8Array.of(0xff)).varint()).toThrow(codec.CodecError);
    expect(() => new codec.ByteReader(Uint8Array.of(0x05, 0x61)).string()).toThrow(codec.CodecError);
  });

  it('encodes text as TextEncoder does and orders it by its bytes', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (left, right) => {
        const [a, b] = [codec.encodeUtf8(left), codec.encodeUtf8(right)];
        expect(Buffer.from(a)).toEqual(Buffer.from(left));
        expect(codec.decodeUtf8(a)).toBe(left);
        expect(Math.sign(codec.compareUtf8(left, right))).toBe(
          Buffer.compare(Buffer.from(left), Buffer.from(right)),
        );
        expect(Math.sign(codec.compareBytes(a, b))).toBe(Buffer.compare(a, b));
      }),
    );
  });

  it('orders key pieces as their bytes order, whatever follows them', () => {
    const bytes = fc.uint8Array({ maxLength: 6, max: 3 });
    const key = (piece: Uint8Array, rest: Uint8Array): Uint8Array => {
      const writer = new codec.ByteWriter(4);
      codec.writeOrdered(writer, piece);
      writer.raw(rest);
      return writer.finish();
    };
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (a, restA, b, restB) => {
        const reader = new codec.ByteReader(key(a, restA));
        expect(codec.readOrdered(reader)).toEqual(a);
        expect(reader.raw(reader.remaining)).toEqual(restA);
        const expected = codec.compareBytes(a, b) || codec.compareBytes(restA, restB);
        expect(Math.sign(codec.compareBytes(key(a, restA), key(b, restB)))).toBe(Math.sign(expected));
      }),
    );
  });

  it('writes base64url as Node does and reads nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = codec.encodeBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(codec.decodeBase64url(text)).toEqual(bytes);
      }),
    );
    for (const wrong of ['a', 'ab=', 'a+b/', 'ab\u00e9d', 'AB'])
      expect(codec.decodeBase64url(wrong)).toBeUndefined();
  });
});

describe('commands', () => {
  it('decode to what was encoded, with the time that was stamped last', () => {
    fc.assert(
      fc.property(command, time, time, (made, first, second) => {
        const bytes = codec.encodeCommand(made, first);
        // One allocation: memory of exactly its size, or a piece of a shared slab.
        expect([bytes.length, 65_536]).toContain(bytes.buffer.byteLength);
        expect(codec.commandTime(bytes)).toBe(first);
        codec.stampCommand(bytes, second);
        const decoded = codec.decodeCommand(bytes);
        expect(decoded.tsMs).toBe(second);
        expect(normal(decoded.command)).toEqual(normal(made));
      }),
    );
  });

  it('show their namespace to who decides whether a group may take them', () => {
    fc.assert(
      fc.property(command, (made) => {
        const isWrite = made.kind === 'write' || made.kind === 'lease';
        const expected = 'ns' in made ? { ns: made.ns, isWrite } : undefined;
        expect(codec.commandNamespace(codec.encodeCommand(made, 1))).toEqual(expected);
      }),
    );
  });

  it('have the same bytes whatever order the tags came in', () => {
    const encode = (tagged: Record<string, string>): Uint8Array =>
      codec.encodeCommand(
        {
          kind: 'write',
          ns: 'n',
          operations: [{ op: 'put', id: 'i', type: 't', bodyJson: '1', tags: tagged, parents: [] }],
        },
        0,
      );
    expect(encode({ b: '1', a: '2', '\u{1f600}': '3', '\uffff': '4' })).toEqual(
      encode({ '\uffff': '4', '\u{1f600}': '3', a: '2', b: '1' }),
    );
  });

  it('refuse what a newer program may have meant', () => {
    const bytes = codec.encodeCommand({ kind: 'expire', limit: 5 }, 7);
    const changed = (offset: number, value: number): Uint8Array => {
      const copy = bytes.slice();
      copy[offset] = value;
      return copy;
    };
    expect(() => codec.decodeCommand(changed(0, 2))).toThrow(/version 2/);
    expect(() => codec.decodeCommand(changed(1, 9))).toThrow(/unknown kind 9/);
    expect(() => codec.decodeCommand(changed(8, 0x04))).toThrow(/unknown flags 0x4/);
    expect(() => codec.decodeCommand(changed(8, 0x01))).toThrow(/unknown flags 0x1/);
    const extended = Uint8Array.from([...bytes.slice(0, 8), 0x80, 2, 33, 0, ...bytes.slice(9)]);
    expect(() => codec.decodeCommand(extended)).toThrow(/unknown extension 33/);
    expect(() => codec.decodeCommand(Uint8Array.from([...bytes, 0]))).toThrow(/left over/);
  });

  it('never decode from a part of their bytes', () => {
    fc.assert(
      fc.property(command, fc.nat(), (made, cut) => {
        const bytes = codec.encodeCommand(made, 1);
        expect(() => codec.decodeCommand(bytes.subarray(0, cut % bytes.length))).toThrow(codec.CodecError);
      }),
    );
  });
});

describe('messages', () => {
  const text = (json: string): Uint8Array => codec.encodeUtf8(json);

  it('carry outcomes, requests and answers', () => {
    const outcomes: CommandOutcome[] = [
      { kind: 'done', commitSeq: 7 as CommitSeq, results: [] },
      {
        kind: 'done',
        commitSeq: 7 as CommitSeq,
        results: [{ kind: 'deleted' }, { kind: 'object', json: text('{"a":"é"}') }, { kind: 'deleted' }],
      },
      {
        kind: 'done',
        commitSeq: 8 as CommitSeq,
        results: [
          { kind: 'checked', commitSeq: 3 as CommitSeq },
          { kind: 'object', json: text('1') },
          { kind: 'lease', lease: { key: 'k', owner: 'ö', token: 8, expiresAtMs: 9 } },
          { kind: 'object', json: text('2') },
        ],
        replayed: true,
      },
      { kind: 'rejected', code: 'precondition_failed', detail: 'no', extras: { current_commit_seq: 3 } },
    ];
    for (const outcome of outcomes)
      expect(codec.decodeOutcome(codec.encodeOutcome(outcome))).toEqual(outcome);
    const protoTag = JSON.parse('{"__proto__":"x","a":"b"}') as Record<string, string>;
    const requests: ReadRequest[] = [
      { kind: 'get', ns: 'n', id: 'ü' },
      { kind: 'lease', ns: 'n', key: 'ü' },
      { kind: 'list', ns: 'n', limit: 5, prefix: 'p', cursor: 'c' },
      { kind: 'query', ns: 'n', tags: protoTag, order: '-commit_seq', limit: 1, fields: ['a'] },
    ];
    for (const request of requests) {
      const decoded = codec.decodeReadRequest(codec.encodeReadRequest(request));
      expect(JSON.stringify(decoded)).toBe(JSON.stringify(request));
    }
    const answers: ReadOutcome[] = [
      { kind: 'absent' },
      { kind: 'lease', lease: { key: 'k', owner: 'o', token: 1, expiresAtMs: 2 } },
      { kind: 'object', json: text('{}'), commitSeq: 9 as CommitSeq },
      { kind: 'page', objects: [] },
      { kind: 'page', objects: [text('1'), text('[2]')], nextCursor: 'abc' },
      { kind: 'rejected', code: 'invalid_request', detail: 'no' },
    ];
    for (const answer of answers)
      expect(codec.decodeReadOutcome(codec.encodeReadOutcome(answer))).toEqual(answer);
  });

  it('are not taken for each other', () => {
    const request = codec.encodeReadRequest({ kind: 'get', ns: 'n', id: 'i' });
    expect(() => codec.decodeOutcome(request)).toThrow(codec.CodecError);
    request[0] = 9;
    expect(() => codec.decodeReadRequest(request)).toThrow(/version 9/);
  });
});

/** What older programs wrote must stay readable: these files are never rewritten for a version that exists. */
describe('golden files', () => {
  interface Golden {
    readonly name: string;
    readonly tsMs: number;
    readonly command: Command;
    readonly hex: string;
  }
  const path = join(__dirname, '../fixtures/commands-v1.json');
  const goldens = JSON.parse(readFileSync(path, 'utf8')) as Golden[];

  it.each(goldens.map((golden) => [golden.name, golden] as const))(
    '%s',
    (_name, { command: made, tsMs, hex }) => {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      const decoded = codec.decodeCommand(bytes);
      expect(decoded.tsMs).toBe(tsMs);
      expect(normal(decoded.command)).toEqual(normal(made));
      expect(Buffer.from(codec.encodeCommand(made, tsMs)).toString('hex')).toBe(hex);
    },
  );
});

/** Tags as sorted pairs: neither the order of keys nor a prototype is part of the meaning. */
function normal(made: Command): unknown {
  if (made.kind !== 'write') return made;
  const operations = made.operations.map((operation) =>
    operation.op === 'put' ? { ...operation, tags: Object.entries(operation.tags).sort() } : operation,
  );
  return { ...made, operations };
}
