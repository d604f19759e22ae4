/** The label that stands for every value past the bound. */
export const OTHER_LABEL = 'other';

/** Lets the first `limit` values of a label through and calls the rest `other`: clients choose namespaces. */
export class BoundedLabels {
  private readonly known = new Set<string>();

  constructor(private readonly limit: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.limit) return OTHER_LABEL;
    this.known.add(value);
    return value;
  }

  /** Gives up the values that may not be labels any more, and returns them. */
  giveUp(isLabel: (value: string) => boolean): readonly string[] {
    const gone = [...this.known].filter((value) => !isLabel(value));
    for (const value of gone) this.known.delete(value);
    return gone;
  }
}
