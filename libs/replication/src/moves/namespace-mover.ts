import { encodeCommand } from '#codec';
import {
  StateError,
  commitSeq,
  type Command,
  type CommandOutcome,
  type CommitSeq,
  type GroupId,
  type MemberId,
  type RowPlace,
  type TenancyState,
} from '#contracts';
import { firstRowFrom, readNamespace, type Digest } from '#state-machine';
import type { Driver } from '../driver';
import type { Forwarding } from '../forwarding';
import type { Directory, Versioned } from '../meta/directory';
import type { NamespaceDocument, Scrubbing } from '../meta/documents';
import type { MetaWriter } from '../meta/meta-writer';
import type { NodeStatus } from '../node-status';
import type { Clock, Network } from '../ports';
import { proposeTenancy } from '../propose-command';
import type { Replica } from '../replica';
import { NamespaceCopy } from './namespace-copy';
import type { PlacementBug } from './planted-bug';
import type { RowServer } from './row-server';

export interface NamespaceMoverOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly directory: Directory;
  readonly writer: MetaWriter;
  readonly network: Network;
  readonly forwarding: Pick<Forwarding, 'write'>;
  readonly rows: RowServer;
  /** The replicas of all nodes that answer. */
  readonly gather: () => Promise<readonly NodeStatus[]>;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly plantedBug: PlacementBug | undefined;
  readonly onWarning: (what: string, error: Error) => void;
}

const STEP_TIMEOUT_MS = 10_000;
/** Rows that one command removes, so that applying it never holds up the loop for long. */
const ROWS_PER_ERASE = 512;

/**
 * Moves namespaces to where their documents say. The leader of the group that a namespace goes to takes it through:
 *
 * 1. the namespace is `loading` here, after rows of an earlier time were erased;
 * 2. its rows are copied into this group's log while it is written, and what was written meanwhile after them;
 * 3. it is `frozen` where it is: reads go on, writes wait, and its history has a last position;
 * 4. the few rows that are left are copied; each page was read back, and had the same digest;
 * 5. it is `away` there, so that nobody reads there what is older than what is written here;
 * 6. it is `here`, with positions that go on above all that were given out there;
 * 7. its document says so, and that it has to be erased where it was: the leader of that group has the rows removed,
 *    and its members rid their disks of them.
 *
 * Nothing is remembered but the document and the two groups' states: whoever leads next goes on from there.
 */
export class NamespaceMover {
  private readonly busy = new Set<string>();

  constructor(private readonly options: NamespaceMoverOptions) {}

  /** Takes up what this node has to do for the documents as they are now. */
  step(): void {
    for (const document of this.options.directory.unsettled()) {
      if (this.busy.has(document.ns)) continue;
      const work = this.workOn(document);
      if (work === undefined) continue;
      this.busy.add(document.ns);
      void work()
        .catch((error: unknown) => {
          // Leadership or the document changed, or a node did not answer: the next step starts from what is then.
          if (!(error instanceof StateError))
            this.options.onWarning(
              'moving a namespace',
              error instanceof Error ? error : new Error(String(error)),
            );
        })
        .finally(() => this.busy.delete(document.ns));
    }
  }

  private workOn(document: Versioned<NamespaceDocument>): (() => Promise<void>) | undefined {
    const { movingTo, erasing } = document;
    const target = movingTo === undefined ? undefined : this.led(movingTo);
    if (target !== undefined) return () => this.moveIn(document, target);
    const left = erasing.map((group) => this.led(group)).find((replica) => replica !== undefined);
    if (left !== undefined) return () => this.erase(document, left);
    for (const scrubbing of document.scrubbing) {
      const replica = this.led(scrubbing.group);
      if (replica !== undefined) return () => this.finish(document, replica, scrubbing);
    }
    return undefined;
  }

  /** The replica of a group that this node leads, once it knows of all that was decided before. */
  private led(group: GroupId): Replica | undefined {
    const replica = this.options.driver.get(group);
    const isForming = this.options.directory.groups.get(group)?.forming ?? true;
    return replica?.knowsAll === true && !isForming ? replica : undefined;
  }

  private async moveIn(document: Versioned<NamespaceDocument>, target: Replica): Promise<void> {
    const { ns, group } = document;
    const generation = document.generation + 1;
    const known = target.tenants.get(ns);
    if (known?.state !== 'here' || known.generation !== generation) {
      const { term } = target.status();
      const copy = new NamespaceCopy(this.options, { ns, group, generation, target, term });
      await this.prepare(ns, copy, { generation, known: known !== undefined });
      const seqFloor = await this.copyAll(document, copy, generation);
      await this.decide(group, { ns, generation, state: 'away', seqFloor: NO_FLOOR });
      await copy.propose({ kind: 'tenancy', ns, generation, state: 'here', seqFloor });
    }
    const erasing = [...document.erasing.filter((one) => one !== target.group), group];
    await this.options.writer.writeNamespace({
      ...document,
      group: target.group,
      generation,
      movingTo: undefined,
      erasing: [...new Set(erasing)],
      scrubbing: document.scrubbing.filter((one) => one.group !== target.group),
    });
  }

  /** Makes room where the namespace goes: rows that an earlier stay or an earlier attempt left are erased first. */
  private async prepare(
    ns: string,
    copy: NamespaceCopy,
    { generation, known }: { readonly generation: number; readonly known: boolean },
  ): Promise<void> {
    if (known) await eraseRows(copy, ns);
    await copy.propose({ kind: 'tenancy', ns, generation, state: 'loading', seqFloor: NO_FLOOR });
  }

  /** Copies while writes go on, freezes, and copies the rest; or all of it frozen, where that cannot be. */
  private async copyAll(
    { ns, group }: NamespaceDocument,
    copy: NamespaceCopy,
    generation: number,
  ): Promise<CommitSeq> {
    const isAhead = await whetherDone(() => copy.ahead());
    await this.decide(group, { ns, generation, state: 'frozen', seqFloor: NO_FLOOR });
    if (isAhead) {
      let last: CommitSeq | undefined;
      const how = { skipRows: this.options.plantedBug === 'skipLastRows' };
      await whetherDone(async () => (last = await copy.rest(how)));
      if (last !== undefined) return last;
    }
    // What was copied ahead may be gone since, where nobody has noted it.
    await eraseRows(copy, ns);
    return copy.frozen();
  }

  /** Removes the rows; from then on the members of the group scrub their disks. */
  private async erase(document: Versioned<NamespaceDocument>, replica: Replica): Promise<void> {
    const { group } = replica;
    const propose = (command: Command) => this.propose(replica, command);
    await eraseRows({ store: replica.store, propose }, document.ns);
    const erasing = document.erasing.filter((one) => one !== group);
    const others = document.scrubbing.filter((one) => one.group !== group);
    const scrubbing = [...others, { group, index: replica.applied }];
    await this.options.writer.writeNamespace({ ...document, erasing, scrubbing });
  }

  /** Writes down that nothing is left of a namespace where it was, once all nodes say so. */
  private async finish(
    document: Versioned<NamespaceDocument>,
    replica: Replica,
    { group, index }: Scrubbing,
  ): Promise<void> {
    const { ns } = document;
    const hasRows = readNamespace(replica.store, ns) !== undefined;
    // They came back with a state that was restored.
    if (hasRows && replica.tenants.get(ns)?.state === 'away') return this.erase(document, replica);
    const statuses = await this.options.gather();
    // Whoever was a member once may have bytes of it, and so has to say that it has none: all nodes are asked.
    const isClean = [...this.options.directory.nodes.values()].every(({ member, state }) => {
      if (state === 'removed') return true;
      const status = statuses.find((one) => one.member === member);
      if (status === undefined || status.forgetting) return false;
      return status.replicas.every((one) => one.group !== group || one.scrubbedTo >= index);
    });
    if (!isClean) return;
    const scrubbing = document.scrubbing.filter((one) => one.group !== group);
    await this.options.writer.writeNamespace({ ...document, scrubbing });
  }

  /** Lets a group decide what the namespace is to it, wherever it is led. */
  private async decide(
    group: GroupId,
    tenancy: {
      readonly ns: string;
      readonly generation: number;
      readonly state: TenancyState;
      readonly seqFloor: CommitSeq;
    },
  ): Promise<void> {
    const { driver, clock, forwarding } = this.options;
    const command = { kind: 'tenancy', ...tenancy } as const;
    const bytes = encodeCommand(command, clock.wallMs());
    const replica = driver.get(group);
    const outcome =
      replica?.isLeader === true
        ? await proposeTenancy(replica, command, { bytes, deadlineMs: clock.monotonicMs() + STEP_TIMEOUT_MS })
        : await forwarding.write(group, replica?.leader, bytes, STEP_TIMEOUT_MS);
    refuseRejected(outcome);
  }

  private async propose(
    replica: Replica,
    command: Command,
  ): Promise<Extract<CommandOutcome, { kind: 'done' }>> {
    const { clock } = this.options;
    const bytes = encodeCommand(command, clock.wallMs());
    return refuseRejected(await replica.propose(bytes, clock.monotonicMs() + STEP_TIMEOUT_MS));
  }
}

const NO_FLOOR = commitSeq(0);

/**
 * Removes all rows of a namespace, page by page. Each page begins at the first row that is left: one that begins at the
 * start would pass over all that was removed before, on every replica, and all of them together over its square.
 */
async function eraseRows(group: Pick<NamespaceCopy, 'propose' | 'store'>, ns: string): Promise<void> {
  let from: RowPlace | undefined;
  for (;;) {
    const place = from === undefined ? {} : { from };
    const outcome = await group.propose({ kind: 'erase', ns, limit: ROWS_PER_ERASE, ...place });
    if (outcome.results.length === 0) return;
    from = firstRowFrom(group.store, ns, from);
  }
}

/** Whether what may fail, because a node did not answer or leadership changed, has not. */
async function whetherDone(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof StateError) return false;
    throw error;
  }
}

function refuseRejected(outcome: CommandOutcome): Extract<CommandOutcome, { kind: 'done' }> {
  if (outcome.kind === 'done') return outcome;
  throw new StateError(outcome.code, outcome.detail, outcome.extras);
}
