import { compareUtf8 } from '#codec';
import { type FieldError, LIMITS, type WhereCondition, type WhereOperator } from '#contracts';
import { parseSingularPath, valueAt } from './singular-path';

export type ParsedWhere =
  | { readonly kind: 'where'; readonly conditions: readonly WhereCondition[] }
  | { readonly kind: 'malformed'; readonly error: FieldError };

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'exists'] as const;

/** Reads the `where` of a query: paths to values, or to operators with their values. All must hold. */
export function parseWhere(where: unknown): ParsedWhere {
  if (typeof where !== 'object' || where === null || Array.isArray(where))
    return malformed('where', 'must be an object that maps paths to values');
  const conditions: WhereCondition[] = [];
  for (const [text, wanted] of Object.entries(where)) {
    const field = `where.${text.slice(0, 100)}`;
    const parsed = parseSingularPath(text);
    if (parsed.kind === 'malformed')
      return malformed(field, `is no singular JSONPath: at character ${parsed.at}, ${parsed.reason}`);
    for (const [operator, value] of operatorsOf(wanted)) {
      const reason = whyNotACondition(operator, value);
      if (reason !== undefined) return malformed(field, reason);
      conditions.push({ text, path: parsed.path, operator: operator as WhereOperator, value });
    }
  }
  if (conditions.length > LIMITS.whereConditions)
    return malformed('where', `must have at most ${LIMITS.whereConditions} conditions`);
  return { kind: 'where', conditions };
}

/** A plain value stands for being equal to it; an object names operators. */
function operatorsOf(wanted: unknown): readonly (readonly [string, unknown])[] {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return [['eq', wanted]];
  const entries = Object.entries(wanted);
  return entries.length > 0 ? entries : [['', undefined]];
}

function whyNotACondition(operator: string, value: unknown): string | undefined {
  switch (operator) {
    case 'eq':
    case 'ne':
      return undefined;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof value === 'number' || typeof value === 'string'
        ? undefined
        : `${operator} takes a number or a string`;
    case 'in':
      return Array.isArray(value) && value.length <= LIMITS.whereValues
        ? undefined
        : `in takes a list of at most ${LIMITS.whereValues} values`;
    case 'exists':
      return typeof value === 'boolean' ? undefined : 'exists takes true or false';
    default:
      return `${JSON.stringify(operator.slice(0, 100))} is no operator: there are ${OPERATORS.join(', ')}`;
  }
}

/** Whether a body meets all conditions. Order is among numbers and among strings; anything else is in none. */
export function meets(body: unknown, conditions: readonly WhereCondition[]): boolean {
  return conditions.every(({ path, operator, value }) => holds(valueAt(body, path), operator, value));
}

function holds(found: unknown, operator: WhereOperator, value: unknown): boolean {
  switch (operator) {
    case 'eq':
      return found !== undefined && equal(found, value);
    case 'ne':
      return found === undefined || !equal(found, value);
    case 'in':
      return found !== undefined && (value as readonly unknown[]).some((one) => equal(found, one));
    case 'exists':
      return (found !== undefined) === value;
    case 'gt':
      return order(found, value) > 0;
    case 'gte':
      return order(found, value) >= 0;
    case 'lt':
      return order(found, value) < 0;
    case 'lte':
      return order(found, value) <= 0;
  }
}

/** NaN, which no comparison holds for, when the two have no order. */
function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return typeof left === 'string' && typeof right === 'string' ? compareUtf8(left, right) : NaN;
}

/** Members in any order, numbers by value. Both come from JSON that is bounded in depth. */
function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(right, key) &&
      equal((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
  );
}

function malformed(field: string, reason: string): ParsedWhere {
  return { kind: 'malformed', error: { field, reason } };
}
