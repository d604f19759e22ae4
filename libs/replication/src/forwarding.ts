import type { CommandOutcome, GroupId, MemberId, ReadRequest } from '#contracts';
import type { Consistency, ReadAnswer } from './engine';

/** How requests reach the node that can serve them. */
export interface Forwarding {
  /** Hands an encoded command to the group's leader; rejects with `no_leader` when none is known. */
  write(
    group: GroupId,
    leader: MemberId | undefined,
    command: Uint8Array,
    timeoutMs: number,
  ): Promise<CommandOutcome>;
  /** Asks a node that has a replica of the group. */
  read(
    group: GroupId,
    request: ReadRequest,
    consistency: Consistency,
    timeoutMs: number,
  ): Promise<ReadAnswer>;
}
