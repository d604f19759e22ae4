import { NO_MEMBER, type GroupId, type LogIndex, type MemberId, type Term } from '#contracts';
import type { ConfState } from '#raft';
import { ApplyBatch, readApplied, type Digest } from '#state-machine';
import {
  CONF_STATE_KEY,
  INSTALLED_KEY,
  encodeConfState,
  encodeInstalled,
  readInstalled,
} from './replica-rows';
import type { LogStore, StateStore } from './ports';

/** The first entry that a new group can hold follows this one, which stands for its first configuration. */
const BOOTSTRAP_INDEX = 1 as LogIndex;
const BOOTSTRAP_TERM = 1 as Term;

/**
 * Gives an empty replica the first configuration of its group. Every first member begins in this same state, as if
 * it had installed a snapshot at index 1: the configuration is not an entry, so a later member cannot replay it and
 * gets a snapshot instead. Does nothing to a replica that has begun; safe to repeat after a crash at any point.
 */
export async function bootstrapReplica(
  group: GroupId,
  voters: readonly MemberId[],
  on: { readonly log: LogStore; readonly store: StateStore; readonly digest: Digest },
): Promise<void> {
  beginState(on.store, voters, on.digest);
  await on.store.flush();
  await alignLog(group, on);
}

/** Writes the state that a group begins with; does nothing to one that has begun. Not synced. */
export function beginState(store: StateStore, voters: readonly MemberId[], digest: Digest): void {
  if (readApplied(store).appliedIndex > 0) return;
  const conf: ConfState = {
    voters,
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const batch = new ApplyBatch(store, digest);
  batch.skip(BOOTSTRAP_INDEX, BOOTSTRAP_TERM);
  const writes = batch.finish();
  store.write({
    ...writes,
    puts: [
      ...writes.puts,
      [CONF_STATE_KEY, encodeConfState(conf)],
      [INSTALLED_KEY, encodeInstalled(BOOTSTRAP_INDEX)],
    ],
  });
}

/**
 * Where a state was installed whole and the process ended before its log was told, the log starts over after the
 * state: what it held is older than the snapshot, or was never committed. The row that an installation leaves says
 * so; a state that is ahead of its log for any other reason is damage, and opening the replica refuses it.
 */
export async function alignLog(
  group: GroupId,
  on: { readonly log: LogStore; readonly store: StateStore },
): Promise<void> {
  const { appliedIndex, appliedTerm } = readApplied(on.store);
  if (appliedIndex === 0 || readInstalled(on.store) !== appliedIndex) return;
  const state = on.log.state(group);
  if (state !== undefined && on.log.term(group, appliedIndex) === appliedTerm) return;
  const before = state?.hardState ?? { term: 0 as Term, vote: NO_MEMBER, commit: 0 as LogIndex };
  const hardState =
    before.term >= appliedTerm
      ? { ...before, commit: appliedIndex }
      : { term: appliedTerm, vote: NO_MEMBER, commit: appliedIndex };
  await new Promise<void>((resolve) =>
    on.log.append(
      [{ group, reset: { index: appliedIndex, term: appliedTerm }, hardState, entries: [] }],
      resolve,
    ),
  );
}
