import type { Core } from './core';
import type { Role, SoftState, Status } from './types';

/** The role as others see it: a follower without a vote is a learner. */
export function roleOf(core: Core): Role {
  const isLearner = core.role === 'follower' && core.tracker.progress.get(core.id)?.learner === true;
  return isLearner ? 'learner' : core.role;
}

export function softStateOf(core: Core): SoftState {
  return { leader: core.leader, role: roleOf(core) };
}

export function statusOf(core: Core): Status {
  const progress: Status['progress'][number][] = [];
  if (core.role === 'leader')
    for (const [member, known] of core.tracker.progress)
      progress.push({
        member,
        match: known.match,
        next: known.next,
        state: known.state,
        learner: known.learner,
        recentActive: known.recentActive,
      });
  return {
    id: core.id,
    term: core.term,
    vote: core.vote,
    leader: core.leader,
    role: roleOf(core),
    commit: core.log.committed,
    applied: core.cursor.applied,
    lastIndex: core.log.lastIndex,
    confState: core.tracker.confState(),
    transferee: core.transferee,
    progress,
  };
}
