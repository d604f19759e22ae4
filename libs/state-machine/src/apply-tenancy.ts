import type { CommandView } from '#codec';
import type { Applied, CommitSeq, TenancyState } from '#contracts';
import type { BatchState } from './batch-state';
import { encodeTenancy, readTenancy, tenancyKey } from './tenancies';

type TenancyView = Extract<CommandView, { kind: 'tenancy' }>;

/**
 * Changes what a namespace is to this group. An older generation than the known one is rejected; so is loading into a
 * namespace that has rows of another time, which have to be erased first.
 */
export function applyTenancy(state: BatchState, view: TenancyView): Applied {
  const { ns, generation } = view;
  const known = readTenancy(state.rows, ns);
  if (known !== undefined && generation < known.generation) {
    return rejected(`the placement of the namespace is at generation ${known.generation}, not ${generation}`);
  }
  if (view.state === 'loading' && state.namespace(ns) !== undefined) {
    const goesOn = known?.state === 'loading' && known.generation === generation;
    if (!goesOn) return rejected('the namespace has rows here, which have to be erased first');
  }
  if (known?.generation === generation && known.state !== view.state) {
    // Asked again by who does not know how far it came: what is further stays.
    if (isBefore(view.state, known.state)) return done(state);
    if (!isBefore(known.state, view.state)) {
      return rejected(`the namespace is ${known.state} at this generation and cannot become ${view.state}`);
    }
  }
  state.rows.put(tenancyKey(ns), encodeTenancy({ generation, state: view.state }));
  state.tenanciesChanged = true;
  const { counters } = state;
  counters.commitSeq = Math.max(counters.commitSeq, view.seqFloor) as CommitSeq;
  return done(state);
}

/** The ways of one generation: out of this group, or into it. */
function isBefore(earlier: TenancyState, later: TenancyState): boolean {
  return (earlier === 'frozen' && later === 'away') || (earlier === 'loading' && later === 'here');
}

function done({ counters }: BatchState): Applied {
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
}

function rejected(detail: string): Applied {
  return { outcome: { kind: 'rejected', code: 'conflict', detail }, changes: [] };
}
