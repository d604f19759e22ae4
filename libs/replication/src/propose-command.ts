import { commandNamespace, decodeCommand } from '#codec';
import { StateError, type CommandOutcome, type TenancyCommand } from '#contracts';
import { moved } from './refusals';
import type { Replica } from './replica';

/**
 * Proposes a command that another node sent, on the leader that it was meant for. A write of a namespace that the
 * group does not serve (just now) is refused before it is in the log.
 */
export function proposeForwarded(
  replica: Replica,
  command: Uint8Array,
  deadlineMs: number,
): Promise<CommandOutcome> {
  const about = commandNamespace(command);
  if (about?.isWrite === true && !replica.mayWrite(about.ns)) throw moved();
  if (about?.isWrite !== false) return replica.propose(command, deadlineMs);
  const decoded = decodeCommand(command).command;
  if (decoded.kind !== 'tenancy')
    throw new StateError('invalid_request', 'Only a leader itself proposes this.');
  return proposeTenancy(replica, decoded, { bytes: command, deadlineMs });
}

/** Proposes what a namespace is to a group from here on; writes of it are held back from this moment on. */
export async function proposeTenancy(
  replica: Replica,
  { ns, state }: Pick<TenancyCommand, 'ns' | 'state'>,
  { bytes, deadlineMs }: { readonly bytes: Uint8Array; readonly deadlineMs: number },
): Promise<CommandOutcome> {
  if (!replica.knowsAll) throw moved();
  replica.tenants.announce(ns, state);
  try {
    const outcome = await replica.propose(bytes, deadlineMs);
    replica.tenants.settled(ns);
    return outcome;
  } catch (error) {
    // Unknown: it may still be committed, and a write that would be taken now would come behind it.
    if (!(error instanceof StateError && error.code === 'timeout')) replica.tenants.settled(ns);
    throw error;
  }
}
