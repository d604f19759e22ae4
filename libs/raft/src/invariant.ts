/** Told what is wrong, in a sentence; must not return. */
export type InvariantReporter = (what: string) => never;

/** Tells the host first, so that it can note which group it was, then stops the core by throwing. */
export function invariantReporter(member: number, notify?: (what: string) => void): InvariantReporter {
  return (what) => {
    const sentence = `raft member ${member}: ${what}`;
    notify?.(sentence);
    throw new Error(sentence);
  };
}
