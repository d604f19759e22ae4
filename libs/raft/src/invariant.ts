/**
 * What this member had acknowledged as durable is not in its log any more: others count on entries that are gone. It
 * must not vote or acknowledge under its identity again.
 */
export class LostEntries extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'LostEntries';
  }
}

/** Told what is wrong, in a sentence; must not return. */
export type InvariantReporter = (what: string, kind?: new (what: string) => Error) => never;

/** Tells the host first, so that it can note which group it was, then stops the core by throwing. */
export function invariantReporter(member: number, notify?: (what: string) => void): InvariantReporter {
  return (what, kind = Error) => {
    const sentence = `raft member ${member}: ${what}`;
    notify?.(sentence);
    throw new kind(sentence);
  };
}
