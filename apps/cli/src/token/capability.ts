import { ADMIN_NAMESPACE, NAMESPACE_PATTERN } from '#contracts';
import { UsageError } from '../terminal';

/** What a token can allow. */
export const OPERATIONS = ['PUT', 'GET', 'DELETE', 'WATCH', 'LEASE', 'ADMIN'] as const;
export type TokenOperation = (typeof OPERATIONS)[number];

/** The claims of a capability, as they stand in the JWT. Times are seconds since 1970. */
export interface Capability {
  readonly ns: string | readonly string[];
  readonly ops: readonly TokenOperation[];
  readonly iat: number;
  readonly exp: number;
  readonly regions?: readonly string[];
  readonly max_bytes?: number;
  readonly max_qps?: number;
  readonly jti?: string;
}

/** Seconds by which clocks may differ before a token counts as expired. */
export const CLOCK_SKEW_SECONDS = 60;

/** Namespaces are comma-separated; a trailing `*` matches a prefix. */
export function namespaces(text: string): string | readonly string[] {
  const list = commaList(text, '--ns');
  const wrong = list.find((ns) => !isNamespace(ns));
  if (wrong !== undefined) {
    throw new UsageError(`--ns: ${JSON.stringify(wrong)} is no namespace. Example: --ns agent://production`);
  }
  return list.length === 1 ? (list[0] ?? '') : list;
}

function isNamespace(ns: string): boolean {
  return ns === '*' || ns === ADMIN_NAMESPACE || NAMESPACE_PATTERN.test(ns.replace(/\*$/, ''));
}

/** Operations are comma-separated, in either case. */
export function operations(text: string): readonly TokenOperation[] {
  return commaList(text, '--ops').map((name) => {
    const known = OPERATIONS.find((operation) => operation === name.toUpperCase());
    if (known === undefined) {
      throw new UsageError(`--ops: ${JSON.stringify(name)} is not one of ${OPERATIONS.join(', ')}`);
    }
    return known;
  });
}

export function commaList(text: string, option: string): readonly string[] {
  const list = [...new Set(text.split(',').map((part) => part.trim()))].filter((part) => part !== '');
  if (list.length === 0) throw new UsageError(`${option} needs at least one value`);
  return list;
}
