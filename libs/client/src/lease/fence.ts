/** What proves to the server that a lease is held: a lease itself, or its key and token brought from elsewhere. */
export interface Fence {
  /** The key of the lease. */
  readonly key: string;
  /** The fencing number; it only grows from one holder to the next. */
  readonly token: number;
}
