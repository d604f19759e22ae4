const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a string has no half of a surrogate pair: only then does it survive UTF-8. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
