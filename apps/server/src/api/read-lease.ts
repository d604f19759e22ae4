import { type FieldError, type LeaseCommand, LIMITS } from '#contracts';
import { whyNotAnId } from '../http/identifiers';
import { whyNotAnOwner } from './constraints';
import { type FieldRule, ObjectFields } from './object-fields';

const RULES = {
  key: (value: unknown) => (typeof value === 'string' ? whyNotAnId(value) : 'must be a string'),
  owner: whyNotAnOwner,
  token: (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'must be the token of a lease',
  ttl: (value: unknown) =>
    Number.isInteger(value) &&
    (value as number) >= LIMITS.leaseMinSeconds &&
    (value as number) <= LIMITS.leaseMaxSeconds
      ? undefined
      : `must be a whole number of seconds from ${LIMITS.leaseMinSeconds} to ${LIMITS.leaseMaxSeconds}`,
} satisfies Record<string, FieldRule>;

const FIELDS = {
  acquire: fieldsOf('key', 'owner', 'ttl'),
  renew: fieldsOf('key', 'owner', 'token', 'ttl'),
  release: fieldsOf('key', 'owner', 'token'),
} as const;

function fieldsOf(...names: readonly (keyof typeof RULES)[]): ObjectFields {
  return new ObjectFields(Object.fromEntries(names.map((name) => [name, RULES[name]])), names);
}

/** What is wrong with a body for a lease; empty when nothing is. */
export function leaseErrors(action: LeaseCommand['action'], body: unknown): readonly FieldError[] {
  return FIELDS[action].errors(body);
}

/** What a body asks of a lease, checked by the rules of its DTO. */
export function readLease(action: LeaseCommand['action'], body: unknown): Omit<LeaseCommand, 'kind' | 'ns'> {
  const { key, owner, token, ttl } = FIELDS[action].read(body) as {
    readonly key: string;
    readonly owner: string;
    readonly token?: number;
    readonly ttl?: number;
  };
  return {
    action,
    key,
    owner,
    ...(action === 'acquire' ? {} : { token }),
    ...(ttl === undefined || action === 'release' ? {} : { ttlMs: ttl * 1_000 }),
  };
}
