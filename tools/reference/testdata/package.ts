interface Hidden {
  readonly value: number;
}

/** Has some of everything. */
export class Thing<Value = string> {
  readonly bare: Hidden = { value: 1 };
  private count = 1;

  constructor(value: Hidden) {
    this.count = value.value;
  }

  /** How many. */
  get size(): number {
    return this.count;
  }

  /** Calls {@link size}. */
  call(
    one: Value,
    options: {
      /** Or not. */
      loud?: boolean;
    } = {},
  ): void {
    this.count += options.loud === true && one !== undefined ? 1 : 0;
  }
}

export type Bare = string;
