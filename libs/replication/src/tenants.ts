import { META_GROUP, type GroupId, type TenancyState } from '#contracts';
import type { Tenancy } from '#state-machine';
import { DEFAULT_GROUP } from './default-group';

/**
 * Which namespaces a replica's group serves. What is in force is what the replica has applied; a leader also holds
 * back from the moment that it proposes a change, so that nothing of a namespace enters the log behind its freeze.
 *
 * The default group serves every namespace that it knows nothing of; other groups only those that were moved in.
 */
export class Tenants {
  private readonly leaving = new Set<string>();

  constructor(
    private readonly group: GroupId,
    private applied: ReadonlyMap<string, Tenancy>,
  ) {}

  /** What a namespace that was placed is to the group. */
  get(ns: string): Tenancy | undefined {
    return this.applied.get(ns);
  }

  mayRead(ns: string): boolean {
    const state = this.stateOf(ns);
    return state === 'here' || state === 'frozen';
  }

  mayWrite(ns: string): boolean {
    return this.stateOf(ns) === 'here' && !this.leaving.has(ns);
  }

  /** Whether rows of a namespace are being copied out or in: nothing may expire or be compacted meanwhile. */
  get isCopying(): boolean {
    if (this.leaving.size > 0) return true;
    for (const { state } of this.applied.values()) if (state === 'frozen' || state === 'loading') return true;
    return false;
  }

  /** The leader is about to propose this. */
  announce(ns: string, state: TenancyState): void {
    if (state !== 'here') this.leaving.add(ns);
  }

  /** What was announced is in force, or was refused. One whose outcome is unknown stays announced. */
  settled(ns: string): void {
    this.leaving.delete(ns);
  }

  /** What the replica has applied now. */
  replace(applied: ReadonlyMap<string, Tenancy>): void {
    this.applied = applied;
  }

  /** Another member leads: what this one had announced is in the log that was handed on, or nowhere. */
  forgetAnnounced(): void {
    this.leaving.clear();
  }

  private stateOf(ns: string): TenancyState {
    const known = this.applied.get(ns);
    if (known !== undefined) return known.state;
    return this.group === DEFAULT_GROUP || this.group === META_GROUP ? 'here' : 'away';
  }
}
