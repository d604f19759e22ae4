import { encodeCommand } from '#codec';
import {
  StateError,
  commitSeq,
  type Command,
  type CommandOutcome,
  type CommitSeq,
  type GroupId,
  type MemberId,
  type TenancyState,
} from '#contracts';
import { exportRows, type Digest, type PortablePlace } from '#state-machine';
import type { Driver } from '../driver';
import type { Forwarding } from '../forwarding';
import type { Directory, Versioned } from '../meta/directory';
import type { NamespaceDocument } from '../meta/documents';
import type { MetaWriter } from '../meta/meta-writer';
import { PeerKind } from '../peers/peer-kinds';
import type { Clock, Network } from '../ports';
import { proposeTenancy } from '../propose-command';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import { unseal } from '../snapshots/chunk';
import { decodeRowAnswer, encodeRowRequest, type RowAnswer, type RowRequest } from './row-request';
import { ROW_PAGE_BYTES, type RowServer } from './row-server';

export interface NamespaceMoverOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly directory: Directory;
  readonly writer: MetaWriter;
  readonly network: Network;
  readonly forwarding: Pick<Forwarding, 'write'>;
  readonly rows: RowServer;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly onWarning: (what: string, error: Error) => void;
}

const STEP_TIMEOUT_MS = 10_000;
const ASK_AGAIN_MS = 20;
/** Rows that one command removes, so that applying it never holds up the loop for long. */
const ROWS_PER_ERASE = 512;

/**
 * Moves namespaces to where their documents say. The leader of the group that a namespace goes to takes it through:
 *
 * 1. the namespace is `loading` here, after rows of an earlier time were erased;
 * 2. it is `frozen` where it is: reads go on, writes wait, and its history has a last position;
 * 3. its rows are copied into this group's log, and read back: both have the same digest;
 * 4. it is `away` there, so that nobody reads there what is older than what is written here;
 * 5. it is `here`, with positions that go on above all that were given out there;
 * 6. its document says so, and that it has to be erased where it was, which the leader of that group does.
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
    return left && (() => this.erase(document, left));
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
      await this.prepare(document, target, generation);
      await this.decide(group, { ns, generation, state: 'frozen', seqFloor: NO_FLOOR });
      const seqFloor = await this.copy(document, target, generation);
      await this.decide(group, { ns, generation, state: 'away', seqFloor: NO_FLOOR });
      await this.decide(target.group, { ns, generation, state: 'here', seqFloor });
    }
    const erasing = [...document.erasing.filter((one) => one !== target.group), group];
    await this.options.writer.writeNamespace({
      ...document,
      group: target.group,
      generation,
      movingTo: undefined,
      erasing: [...new Set(erasing)],
    });
  }

  /** Makes room where the namespace goes: rows that an earlier stay or an earlier attempt left are erased first. */
  private async prepare({ ns }: NamespaceDocument, target: Replica, generation: number): Promise<void> {
    const known = target.tenants.get(ns);
    if (known?.state === 'loading' && known.generation === generation) return;
    if (known !== undefined) await this.eraseRows(target, ns);
    await this.decide(target.group, { ns, generation, state: 'loading', seqFloor: NO_FLOOR });
  }

  /** Copies all rows and compares digests of what was read there and what is stored here. */
  private async copy(
    { ns, group }: NamespaceDocument,
    target: Replica,
    generation: number,
  ): Promise<CommitSeq> {
    let after: PortablePlace | undefined;
    let there = '';
    let answer: RowAnswer;
    do {
      answer = await this.ask({ group, ns, generation, after });
      there = this.digestOn(there, answer.rows);
      if (answer.rows.length > 0)
        await this.propose(target, { kind: 'import', ns, generation, rows: answer.rows });
      after = answer.next;
    } while (after !== undefined);
    const here = await this.digestOf(target, ns);
    if (here !== there) {
      throw new Error(`group ${target.group} has other rows of a namespace than group ${group} after a copy`);
    }
    return answer.commitSeq;
  }

  /** The digest of a namespace's rows as a replica has them, page by page, so that nothing waits for all of it. */
  private async digestOf(replica: Replica, ns: string): Promise<string> {
    let after: PortablePlace | undefined;
    let soFar = '';
    do {
      const page = exportRows(replica.store, ns, after, ROW_PAGE_BYTES);
      soFar = this.digestOn(soFar, page.rows);
      after = page.next;
      await new Promise<void>((resolve) => this.options.clock.soon(resolve));
    } while (after !== undefined);
    return soFar;
  }

  private digestOn(soFar: string, rows: Uint8Array): string {
    const { digest } = this.options;
    return digest(new TextEncoder().encode(`${soFar} ${digest(rows)}`));
  }

  /** Asks the replicas of the group that the namespace leaves, until one has applied its freeze and answers. */
  private async ask(request: RowRequest): Promise<RowAnswer> {
    const { driver, directory, network, clock, digest, rows, member } = this.options;
    const deadlineMs = clock.monotonicMs() + STEP_TIMEOUT_MS;
    for (;;) {
      if (driver.get(request.group) !== undefined) {
        try {
          return rows.page(request);
        } catch {
          // It is behind: another one may not be.
        }
      }
      const holders = directory.groups.get(request.group)?.voters ?? [];
      for (const holder of holders.filter((one) => one !== member && network.connected(one))) {
        const answer = await network
          .request(holder, PeerKind.namespaceRows, encodeRowRequest(request), {
            timeoutMs: STEP_TIMEOUT_MS,
            channel: 'bulk',
          })
          .catch(() => undefined);
        if (answer !== undefined) return decodeRowAnswer(unseal(answer, digest));
      }
      if (clock.monotonicMs() >= deadlineMs) throw moved();
      await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
    }
  }

  private async erase(document: Versioned<NamespaceDocument>, replica: Replica): Promise<void> {
    await this.eraseRows(replica, document.ns);
    const erasing = document.erasing.filter((group) => group !== replica.group);
    await this.options.writer.writeNamespace({ ...document, erasing });
  }

  private async eraseRows(replica: Replica, ns: string): Promise<void> {
    for (;;) {
      const outcome = await this.propose(replica, { kind: 'erase', ns, limit: ROWS_PER_ERASE });
      if (outcome.results.length === 0) return;
    }
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

function refuseRejected(outcome: CommandOutcome): Extract<CommandOutcome, { kind: 'done' }> {
  if (outcome.kind === 'done') return outcome;
  throw new StateError(outcome.code, outcome.detail, outcome.extras);
}
