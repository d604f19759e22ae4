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

/** The group does not serve the namespace, or not yet, or takes no writes of it just now. Nothing happened. */
export function moved(): StateError {
  return new StateError('not_ready', 'The namespace is being moved; try again shortly.', {
    retry_after: 1,
    moved: true,
  });
}

/** Whether an error says that a request should be routed anew. */
export function isMoved(error: unknown): boolean {
  return error instanceof StateError && error.extras.moved === true;
}
