/** Operations that a token may grant. */
export const CAPABILITY_OPERATIONS = ['PUT', 'GET', 'DELETE', 'WATCH', 'LEASE', 'ADMIN'] as const;
export type CapabilityOperation = (typeof CAPABILITY_OPERATIONS)[number];

/** What a verified token grants. Times are in seconds since 1970, as in the token. */
export interface Capability {
  readonly keyId: string;
  readonly namespaces: readonly NamespacePattern[];
  readonly operations: ReadonlySet<string>;
  readonly expiresAtSeconds: number;
  readonly notBeforeSeconds: number;
  readonly regions?: readonly string[];
  readonly maxBodyBytes?: number;
  readonly maxQps?: number;
  /** Whose token it is, for limits per token: its `jti`, or a digest of the token. */
  readonly owner: string;
}

/** A namespace, or the beginning of some: `agent://team-*`. */
export interface NamespacePattern {
  readonly text: string;
  readonly isPrefix: boolean;
}

export function grantsNamespace(capability: Capability, ns: string): boolean {
  return capability.namespaces.some(({ text, isPrefix }) => (isPrefix ? ns.startsWith(text) : ns === text));
}
