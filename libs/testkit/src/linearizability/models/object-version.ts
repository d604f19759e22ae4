/**
 * What can be known of the `commit_seq` of a key's newest version. When nobody saw the answer of a write, its
 * position is some number above the one before; later answers narrow it down.
 */
export interface ObjectVersion {
  /** The position itself when `isExact`, else the least that it can be. 0 before the first write. */
  readonly commitSeq: number;
  readonly isExact: boolean;
  /** Positions above `commitSeq` that it is known not to have, ascending; empty when exact. */
  readonly ruledOut: readonly number[];
}

const NONE: readonly number[] = [];

export const NO_VERSION: ObjectVersion = exactly(0);

export function exactly(commitSeq: number): ObjectVersion {
  return { commitSeq, isExact: true, ruledOut: NONE };
}

/** The version that a write of unseen answer makes after this one. */
export function someLaterThan(version: ObjectVersion): ObjectVersion {
  return { commitSeq: version.commitSeq + 1, isExact: false, ruledOut: NONE };
}

/** Whether this version may have that position. */
export function canBe(version: ObjectVersion, commitSeq: number): boolean {
  if (version.isExact) return version.commitSeq === commitSeq;
  return commitSeq >= version.commitSeq && !version.ruledOut.includes(commitSeq);
}

/** Whether this version may come before that position. */
export function canPrecede(version: ObjectVersion, commitSeq: number): boolean {
  return version.commitSeq < commitSeq;
}

/** This version, knowing that it has another position than that one. Undefined when it can have no other. */
export function otherThan(version: ObjectVersion, commitSeq: number): ObjectVersion | undefined {
  if (!canBe(version, commitSeq)) return version;
  if (version.isExact) return undefined;
  const ruledOut = [...version.ruledOut, commitSeq].sort((left, right) => left - right);
  let least = version.commitSeq;
  while (ruledOut[0] === least) {
    ruledOut.shift();
    least++;
  }
  return { commitSeq: least, isExact: false, ruledOut };
}

/** Whether `version` can have every position that `other` can have. */
export function coversVersion(version: ObjectVersion, other: ObjectVersion): boolean {
  if (other.isExact) return canBe(version, other.commitSeq);
  if (version.isExact || version.commitSeq > other.commitSeq) return false;
  return version.ruledOut.every((commitSeq) => !canBe(other, commitSeq));
}

export function describeVersion({ commitSeq, isExact, ruledOut }: ObjectVersion): string {
  if (isExact) return `commit_seq ${commitSeq}`;
  return `commit_seq ${commitSeq} or later${ruledOut.length > 0 ? `, not ${ruledOut.join(' or ')}` : ''}`;
}
