import { decodeCommand } from '#codec';
import { StateError, type Command, type MemberId } from '#contracts';
import type { Driver } from './driver';
import type { NodeStatus } from './node-status';
import type { LogStore } from './ports';

/**
 * Refuses a command that would grow the data while the leader's disk is nearly full. The leader's alone counts: a
 * write through another node whose disk is low is no bigger there than any that it follows.
 */
export function refuseWhenFull(log: LogStore, command: Command): void {
  if (log.space() !== 'low' || !growsData(command)) return;
  throw new StateError('storage_full', 'The disk is nearly full: only reads and deletes are served.');
}

/** A lease that is held may go on and end: who lost it could not clean up. */
function growsData(command: Command): boolean {
  if (command.kind === 'lease') return command.action === 'acquire';
  return command.kind === 'write' && command.operations.some(({ op }) => op === 'put' || op === 'patch');
}

/** The same for a command as it came from another node; it is decoded only while there is a reason to look. */
export function refuseBytesWhenFull(log: LogStore, command: Uint8Array): void {
  if (log.space() === 'low') refuseWhenFull(log, decodeCommand(command).command);
}

export interface DiskReliefOptions {
  readonly log: LogStore;
  readonly driver: Driver;
  readonly member: MemberId;
  readonly gather: () => Promise<readonly NodeStatus[]>;
}

/**
 * A node whose disk is nearly full gives leadership to a voter that has room, so that writes go on. It keeps it when
 * nobody has room: leadership that wanders helps nobody.
 */
export class DiskRelief {
  private asking = false;

  constructor(private readonly options: DiskReliefOptions) {}

  async step(): Promise<void> {
    const { log, driver, member, gather } = this.options;
    if (this.asking || log.space() !== 'low') return;
    if (![...driver.all()].some(({ leadsOthers }) => leadsOthers)) return;
    this.asking = true;
    try {
      const nodes = await gather();
      const roomy = new Set(
        nodes.filter((node) => node.space === 'ok' && node.member !== member).map((node) => node.member),
      );
      for (const replica of driver.all()) replica.handLeadershipOver((voter) => roomy.has(voter));
    } finally {
      this.asking = false;
    }
  }
}
