/** Mistakes that can be planted so that the simulator shows it finds them. Never set outside of tests. */
export type PlacementBug =
  /** Groups are begun, and their bytes carried, as if they were pinned nowhere. */
  | 'ignorePin'
  /** A namespace is served where it goes without what was written while it was copied. */
  | 'skipLastRows'
  /** Old history is removed also while a namespace is copied. */
  | 'tendFrozen';
