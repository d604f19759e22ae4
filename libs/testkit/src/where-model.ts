import type { WhereCondition } from '#contracts';

/** Whether a body meets a condition, told without any index: texts of JSON are compared, and bytes of strings. */
export function meetsModel(body: unknown, { path, operator, value }: WhereCondition): boolean {
  const found = at(body, path);
  switch (operator) {
    case 'exists':
      return (found !== undefined) === value;
    case 'eq':
      return found !== undefined && canonical(found) === canonical(value);
    case 'ne':
      return !(found !== undefined && canonical(found) === canonical(value));
    case 'in':
      return found !== undefined && (value as unknown[]).map(canonical).includes(canonical(found));
    case 'gt':
      return [1].includes(compare(found, value));
    case 'gte':
      return [0, 1].includes(compare(found, value));
    case 'lt':
      return [-1].includes(compare(found, value));
    case 'lte':
      return [-1, 0].includes(compare(found, value));
  }
}

/** -1, 0 or 1 among numbers and among strings; NaN between others. */
export function compare(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number')
    return left === right ? 0 : left < right ? -1 : 1;
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return NaN;
}

function at(body: unknown, path: WhereCondition['path']): unknown {
  let found: unknown = body;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(found)) return undefined;
      found = found.at(step) as unknown;
    } else {
      if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
      found = new Map(Object.entries(found)).get(step);
    }
    if (found === undefined) return undefined;
  }
  return found;
}

/** One text for equal values: keys in one order, and -0 as 0, which is what JSON makes of it. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
