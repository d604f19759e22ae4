/**
 * What a session has seen, by namespace. With it, a read may be answered by the nearest replica as soon as that has
 * caught up so far: a session reads its own writes, and never an older state than it has read before.
 */
export class SessionPositions {
  private readonly positions = new Map<string, number>();

  get(ns: string): number | undefined {
    return this.positions.get(ns);
  }

  /** Positions only grow. */
  saw(ns: string, position: number): void {
    if (position > (this.positions.get(ns) ?? 0)) this.positions.set(ns, position);
  }
}
