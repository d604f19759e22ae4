import 'reflect-metadata';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { PutObjectDto } from '../src/api/put-object.dto';
import { AcquireLeaseDto, RenewLeaseDto } from '../src/api/lease.dto';
import { QueryDto } from '../src/api/query.dto';
import { leaseErrors } from '../src/api/read-lease';
import { putObjectErrors } from '../src/api/read-put-object';
import { queryErrors } from '../src/api/read-query';
import { NewNodeDto, TransferLeaderDto } from '../src/admin/cluster-requests.dto';
import { NamespaceSettingsDto } from '../src/admin/namespace-settings.dto';
import { namespaceSettingsErrors } from '../src/admin/read-namespace-settings';
import { newNodeErrors, transferErrors } from '../src/admin/read-cluster-requests';

/** What class-validator says of a body: the names of the fields that it refuses. */
function verdictOf(dto: new () => object, body: object): string[] {
  const instance = new dto();
  for (const [key, value] of Object.entries(body)) {
    Object.defineProperty(instance, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return validateSync(instance, { whitelist: true, forbidNonWhitelisted: true })
    .map(({ property }) => property)
    .sort();
}

const fieldsOf = (errors: readonly { field: string }[]): string[] => errors.map(({ field }) => field).sort();

const strange = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    1_000,
    1_001,
    3_155_760_001,
    '',
    'x',
    'a\u0000',
    '\u0085',
    [],
    {},
    ['x'],
    [1],
    [''],
    ['us-west-2', 'eu-west-1'],
    ['eu', 'eu'],
    ['$.a', '$.b'],
    ['$.a', "$['a']"],
    { eu: 1 },
    { eu: 0 },
    { 'a b': 1 },
  ),
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(256, 257, 512, 513, 128, 129).map((length) => 'y'.repeat(length)),
  fc.constantFrom(64, 65).map((length) => Array.from({ length }, () => 'p')),
  fc
    .constantFrom(64, 65)
    .map((length) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, 'v']))),
  fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.string(), fc.integer()), { maxKeys: 3 }),
);

/** Goal: the fast checks and the DTOs that the documentation is made of never drift apart. Method: same input, both. */
describe('the checks of', () => {
  it.each([
    [
      'a put',
      PutObjectDto,
      putObjectErrors,
      ['id', 'type', 'body', 'tags', 'ttl_seconds', 'parents', 'surprise'],
    ],
    ['a transfer', TransferLeaderDto, transferErrors, ['group_id', 'node_id', 'surprise']],
    [
      'settings of a namespace',
      NamespaceSettingsDto,
      namespaceSettingsErrors,
      [
        'regions',
        'replicas',
        'read_replicas',
        'max_qps',
        'max_bytes',
        'history_retention_seconds',
        'history_retention_commits',
        'indexes',
        'surprise',
      ],
    ],
    ['a new node', NewNodeDto, newNodeErrors, ['node_id', 'region', 'surprise']],
    [
      'a lease to take',
      AcquireLeaseDto,
      (body: unknown) => leaseErrors('acquire', body),
      ['key', 'owner', 'token', 'ttl', 'surprise'],
    ],
    [
      'a lease to prolong',
      RenewLeaseDto,
      (body: unknown) => leaseErrors('renew', body),
      ['key', 'owner', 'token', 'ttl', 'surprise'],
    ],
    [
      'a query',
      QueryDto,
      queryErrors,
      ['tags', 'type', 'prefix', 'where', 'allow_scan', 'fields', 'order', 'limit', 'cursor', 'surprise'],
    ],
  ] as const)('%s are those of its DTO', (_name, dto, errorsOf, fields) => {
    const bodies = fc.dictionary(
      fc.constantFrom(...fields),
      fc.oneof(strange, fc.constantFrom('id', 'commit_seq', 5, 0xffff_ffff, 0x1_0000_0000)),
      {
        noNullPrototype: true,
      },
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(fieldsOf(errorsOf(body))).toEqual(verdictOf(dto, body));
      }),
      { seed: 42, numRuns: 1_500 },
    );
  });
});
