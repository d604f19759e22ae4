import { StateError } from '#contracts';
import type { ProposeOutcome } from '#raft';
import { noLeader } from './pending-reads';

export function overloaded(): StateError {
  return new StateError(
    'overloaded',
    'Too many requests are waiting for this namespace; slow down and retry.',
    {
      retry_after: 1,
    },
  );
}

/** Why the core did not take a proposal, as the client hears it: nothing happened. */
export function dropped(reason: Extract<ProposeOutcome, { kind: 'dropped' }>['reason']): StateError {
  switch (reason) {
    case 'uncommittedFull':
      return overloaded();
    case 'confChangePending':
      return new StateError(
        'conflict',
        'Another membership change is under way; try again when it is done.',
        {
          retry_after: 1,
        },
      );
    case 'confChangeInvalid':
      return new StateError('invalid_request', 'The membership change is impossible in this configuration.');
    case 'notLeader':
    case 'notMember':
    case 'transferring':
      return noLeader();
  }
}
