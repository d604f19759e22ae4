import { type FieldError, LIMITS, type QueryRequest, type Tags } from '#contracts';
import { whyNotTags } from '#state-machine';
import { type FieldRule, ObjectFields } from './object-fields';
import { QUERY_ORDERS } from './query.dto';

const isString: FieldRule = (value) => (typeof value === 'string' ? undefined : 'must be a string');

const FIELDS = new ObjectFields({
  tags: whyNotTags,
  type: isString,
  prefix: isString,
  where: () => 'is not supported by this version',
  fields: (value) =>
    Array.isArray(value) &&
    value.length <= LIMITS.queryFields &&
    value.every((item) => typeof item === 'string')
      ? undefined
      : `must be a list of at most ${LIMITS.queryFields} strings`,
  order: (value) =>
    (QUERY_ORDERS as readonly unknown[]).includes(value)
      ? undefined
      : `must be one of ${QUERY_ORDERS.join(', ')}`,
  limit: (value) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LIMITS.pageRows
      ? undefined
      : `must be a whole number from 1 to ${LIMITS.pageRows}`,
  cursor: isString,
});

/** What is wrong with a body for a query; empty when nothing is. */
export function queryErrors(body: unknown): readonly FieldError[] {
  return FIELDS.errors(body);
}

/** The query that a body asks for, checked by the rules of `QueryDto`. */
export function readQuery(ns: string, body: unknown): QueryRequest {
  const fields = FIELDS.read(body) as {
    tags?: Tags | null;
    type?: string | null;
    prefix?: string | null;
    fields?: readonly string[] | null;
    order?: QueryRequest['order'] | null;
    limit?: number | null;
    cursor?: string | null;
  };
  return {
    kind: 'query',
    ns,
    tags: fields.tags ?? undefined,
    type: fields.type ?? undefined,
    prefix: fields.prefix ?? undefined,
    fields: fields.fields ?? undefined,
    order: fields.order ?? 'id',
    limit: fields.limit ?? LIMITS.pageRowsDefault,
    cursor: fields.cursor ?? undefined,
  };
}
