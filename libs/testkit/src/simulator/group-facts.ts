import type { MemberId } from '#contracts';
import type { ConfState } from '#raft';

export interface KnownEntry {
  readonly hash: number;
  readonly previousTerm: number;
}

/** What all nodes together have promised about one group. */
export interface GroupFacts {
  /** Term of the committed entry at each index; the first leader to count it decides. */
  readonly decidedTerms: number[];
  /** Term of the leader that decided it. */
  readonly decidedIn: number[];
  /** The configuration of whoever has applied most: it is a function of what was applied. */
  configuration: ConfState | undefined;
  /** The one before it, if there was one. */
  configurationBefore: ConfState | undefined;
  configurationIndex: number;
  /** Where it was first seen. */
  configurationSince: number;
  readonly leaders: Map<number, MemberId>;
  readonly entries: Map<number, KnownEntry>;
  readonly votes: Map<string, MemberId>;
}

/** Every first member begins with the configuration that stands at index 1 of term 1. */
export function noFacts(): GroupFacts {
  return {
    decidedTerms: [0, 1],
    decidedIn: [0, 1],
    configuration: undefined,
    configurationBefore: undefined,
    configurationIndex: 0,
    configurationSince: 0,
    leaders: new Map(),
    entries: new Map(),
    votes: new Map(),
  };
}
