import type { Capability, CapabilityOperation } from './capability';

/** What the gate found out about a request before its body was read. */
export interface Access {
  /** The namespace, decoded and checked; empty on routes without one. */
  readonly ns: string;
  readonly operation: CapabilityOperation;
  /** `undefined` in dev mode without keys, where everything is allowed. */
  readonly capability?: Capability;
  readonly bodyLimitBytes: number;
}
