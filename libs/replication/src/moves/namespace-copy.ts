import { encodeCommand } from '#codec';
import {
  StateError,
  type Command,
  type CommandOutcome,
  type CommitSeq,
  type GroupId,
  type MemberId,
  type RowPlace,
  type Term,
} from '#contracts';
import { readBack, type Digest, type StateReader } from '#state-machine';
import type { Driver } from '../driver';
import type { Directory } from '../meta/directory';
import { PeerKind } from '../peers/peer-kinds';
import type { Clock, Network } from '../ports';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import { unseal } from '../snapshots/chunk';
import {
  decodeRowAnswer,
  encodeRowRequest,
  type RowAnswer,
  type RowRequest,
  type RowStage,
} from './row-request';
import type { RowServer } from './row-server';

export interface NamespaceCopyOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly directory: Directory;
  readonly network: Network;
  readonly rows: RowServer;
  readonly clock: Clock;
  readonly digest: Digest;
}

/** What is copied, and where to. */
export interface CopyJob {
  readonly ns: string;
  /** Where the rows are. */
  readonly group: GroupId;
  readonly generation: number;
  readonly target: Replica;
  /**
   * The term in which the target is led for all of the copy. In another one somebody else may have put rows there, or
   * removed some, and what this copy has seen to is no more what there is.
   */
  readonly term: Term;
}

const STEP_TIMEOUT_MS = 10_000;
const ASK_AGAIN_MS = 20;
/** Rounds of touched rows go on until so few are left that the freeze is short, or it does not get better. */
const FEW_ROWS = 1_000;
const MOST_ROUNDS = 10;

/**
 * Brings the rows of a namespace into another group, through its log. Every page is read back from the state that it
 * was put into, and its digest compared with that of what was sent.
 *
 * While the namespace is written, {@link ahead} copies all of it and then, round by round, what was written meanwhile;
 * once it is frozen {@link rest} copies the few rows that are left. {@link frozen} copies all at once, when that
 * cannot be.
 */
export class NamespaceCopy {
  /** The replica that notes what is touched. */
  private source: MemberId | undefined;
  private attempt = 0;
  private round = 0;

  constructor(
    private readonly options: NamespaceCopyOptions,
    private readonly job: CopyJob,
  ) {}

  /** The state that the rows go to. */
  get store(): StateReader {
    return this.job.target.store;
  }

  /** Resolves once few rows are left to be copied. Rejects when no replica lets itself be copied so. */
  async ahead(): Promise<void> {
    this.attempt = this.job.target.applied;
    let after: RowPlace | undefined;
    let answer: RowAnswer;
    do {
      answer = await this.askSource({ stage: 'ahead', after });
      await this.take(answer.rows);
      after = answer.next;
    } while (after !== undefined);
    for (let rounds = 0; answer.waiting > FEW_ROWS && rounds < MOST_ROUNDS; rounds++) {
      answer = await this.takeRound('touched');
    }
  }

  /**
   * The rows that {@link ahead} has left, of a namespace that is frozen now; gives the last position there. They are
   * skipped where that mistake is planted.
   */
  async rest({ skipRows }: { readonly skipRows: boolean }): Promise<CommitSeq> {
    if (skipRows) return (await this.askSource({ stage: 'last' })).commitSeq;
    return (await this.takeRound('last')).commitSeq;
  }

  /** All rows of a namespace that is frozen, into a group that has none of it; gives the last position there. */
  async frozen(): Promise<CommitSeq> {
    let after: RowPlace | undefined;
    let answer: RowAnswer;
    do {
      answer = await this.ask(this.request({ stage: 'frozen', after }), undefined);
      await this.take(answer.rows);
      after = answer.next;
    } while (after !== undefined);
    return answer.commitSeq;
  }

  /** Proposes where the rows go, in the term of the copy or not at all. */
  async propose(command: Command): Promise<Extract<CommandOutcome, { kind: 'done' }>> {
    const { clock } = this.options;
    const { target, term } = this.job;
    if (!target.isLeader || target.status().term !== term) throw moved();
    const bytes = encodeCommand(command, clock.wallMs());
    const outcome = await target.propose(bytes, clock.monotonicMs() + STEP_TIMEOUT_MS);
    if (outcome.kind === 'done') return outcome;
    throw new StateError(outcome.code, outcome.detail, outcome.extras);
  }

  private async takeRound(stage: 'touched' | 'last'): Promise<RowAnswer> {
    this.round += 1;
    let given = 0;
    let answer: RowAnswer;
    do {
      answer = await this.askSource({ stage, given });
      await this.take(answer.rows);
      given = answer.given;
    } while (given > 0);
    return answer;
  }

  private async take(rows: Uint8Array): Promise<void> {
    if (rows.length === 0) return;
    const { target, ns, generation, group } = this.job;
    const { digest } = this.options;
    await this.propose({ kind: 'import', ns, generation, rows });
    if (digest(readBack(target.store, ns, rows)) !== digest(rows)) {
      throw new Error(`group ${target.group} has other rows of a namespace than group ${group} after a copy`);
    }
  }

  private request(part: {
    readonly stage: RowStage;
    readonly after?: RowPlace;
    readonly given?: number;
  }): RowRequest {
    const { group, ns, generation } = this.job;
    const { attempt, round } = this;
    return {
      group,
      ns,
      generation,
      attempt,
      round,
      given: part.given ?? 0,
      after: part.after,
      stage: part.stage,
    };
  }

  /** The first answer binds the copy to the replica that gave it. */
  private async askSource(part: Parameters<NamespaceCopy['request']>[0]): Promise<RowAnswer> {
    const isFirst = part.stage === 'ahead' && part.after === undefined;
    return this.ask(this.request(part), isFirst ? undefined : this.source, isFirst);
  }

  /** Asks the replicas of the group that the namespace leaves, or the one that is named, until one answers. */
  private async ask(request: RowRequest, only: MemberId | undefined, once = false): Promise<RowAnswer> {
    const { directory, network, clock, rows, member, driver } = this.options;
    const deadlineMs = clock.monotonicMs() + STEP_TIMEOUT_MS;
    for (;;) {
      const isHere = driver.get(request.group) !== undefined;
      const voters = directory.groups.get(request.group)?.voters ?? [];
      const holders = [...(isHere ? [member] : []), ...voters.filter((one) => one !== member)];
      for (const holder of only === undefined ? holders : [only]) {
        if (holder !== member && !network.connected(holder)) continue;
        try {
          const answer = holder === member ? rows.page(member, request) : await this.askPeer(holder, request);
          this.source = holder;
          return answer;
        } catch (error) {
          // It is behind, or away: another one may not be.
          if (!(error instanceof StateError)) throw error;
        }
      }
      if (once || clock.monotonicMs() >= deadlineMs) throw moved();
      await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
    }
  }

  private async askPeer(holder: MemberId, request: RowRequest): Promise<RowAnswer> {
    const { network, digest } = this.options;
    const answer = await network.request(holder, PeerKind.namespaceRows, encodeRowRequest(request), {
      timeoutMs: STEP_TIMEOUT_MS,
      channel: 'bulk',
    });
    return decodeRowAnswer(unseal(answer, digest));
  }
}
