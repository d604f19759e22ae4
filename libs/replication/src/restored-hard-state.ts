import type { GroupId, HardState, LogIndex, MemberId, Term } from '#contracts';
import { LostEntries } from '#raft';
import type { LogStore } from './ports';
import { StateCorruption } from './state-corruption';

/** What the log remembers of a group whose state has applied so much. Throws when the two cannot both be whole. */
export function restoredHardState(log: LogStore, group: GroupId, applied: LogIndex): HardState {
  const state = log.state(group);
  if (state === undefined && applied === 0) {
    return { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };
  }
  const what = `group ${group} has applied ${applied}, but its log`;
  if (state === undefined) throw new LostEntries(`${what} is gone`);
  if (applied > state.lastIndex) throw new LostEntries(`${what} ends at ${state.lastIndex}`);
  if (applied < state.floorIndex) {
    throw new StateCorruption(`group ${group}`, `${what} begins after ${state.floorIndex}`);
  }
  // What was applied was committed, even if the newer commit index had not reached the disk.
  return state.hardState.commit >= applied ? state.hardState : { ...state.hardState, commit: applied };
}
