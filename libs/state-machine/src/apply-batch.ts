import { viewCommand } from '#codec';
import type { Applied, CommitSeq, LogIndex, Term } from '#contracts';
import { applyCompact } from './apply-compact';
import { applyErase } from './apply-erase';
import { applyExpire } from './apply-expire';
import { applyImport } from './apply-import';
import { applyLease } from './apply-lease';
import { applyTenancy } from './apply-tenancy';
import { applyWrite } from './apply-write';
import { BatchState } from './batch-state';
import { encodeCounters } from './counters';
import { applyBuild, applyIndexes } from './fields/apply-indexes';
import { once } from './kept-answers';
import { COUNTERS_KEY } from './keys';
import { type Digest, ObjectRowBuilder } from './object-row';
import type { StateBug } from './state-bug';
import type { StateReader, WriteSet } from './state-reader';

/**
 * Applies a run of log entries on top of a state: each sees what those before it did, and all that they change,
 * with the applied index, comes out as one write set. How a log is split into batches makes no difference.
 *
 * For one run only; the host writes {@link finish} to the state before it begins the next. If `apply` throws (an
 * entry that this version cannot read, a row that is not as it must be), the batch is void and nothing of it may
 * be written: the replica stops where it was.
 */
export class ApplyBatch {
  private readonly state: BatchState;
  private readonly builder: ObjectRowBuilder;

  /** Throws `UnknownStateFormat` for the state of a newer program. */
  constructor(reader: StateReader, digest: Digest, plantedBug?: StateBug) {
    this.state = new BatchState(reader, plantedBug);
    this.builder = new ObjectRowBuilder(digest);
  }

  /** Index of the last entry applied, here or before. */
  get appliedIndex(): LogIndex {
    return this.state.counters.appliedIndex;
  }

  /** Position of the last change, here or before. */
  get commitSeq(): CommitSeq {
    return this.state.counters.commitSeq;
  }

  /** Whether a command of this run changed what a namespace is to the group. */
  get tenanciesChanged(): boolean {
    return this.state.tenanciesChanged;
  }

  /** Applies the entry at `index`, which must be the next. Empty data, a leader's first entry, changes nothing. */
  apply(index: LogIndex, term: Term, data: Uint8Array): Applied {
    this.skip(index, term);
    const { state } = this;
    const { counters } = state;
    if (data.length === 0) {
      return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
    }
    const view = viewCommand(data);
    const tsMs = Math.max(view.tsMs, counters.lastTsMs);
    counters.lastTsMs = tsMs;
    switch (view.kind) {
      case 'write':
        return view.idempotency
          ? once(state, view, tsMs, () => applyWrite(state, view, tsMs, this.builder))
          : applyWrite(state, view, tsMs, this.builder);
      case 'lease':
        return once(state, view, tsMs, () =>
          applyLease(state, view, state.hasBug('leaseByProposersClock') ? view.tsMs : tsMs),
        );
      case 'expire':
        return applyExpire(state, view.limit, tsMs);
      case 'compact':
        return applyCompact(state, view, tsMs);
      case 'tenancy':
        return applyTenancy(state, view);
      case 'import':
        return applyImport(state, view);
      case 'erase':
        return applyErase(state, view);
      case 'indexes':
        return applyIndexes(state, view);
      case 'build':
        return applyBuild(state, view);
      case 'snapshot':
        return {
          outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] },
          changes: [],
          snapshot: view.command,
        };
    }
  }

  /** Passes over an entry that is not for the state, such as a configuration change. */
  skip(index: LogIndex, term: Term): void {
    const { counters } = this.state;
    if (index !== counters.appliedIndex + 1)
      throw new Error(`entry ${index} applied after ${counters.appliedIndex}`);
    counters.appliedIndex = index;
    counters.appliedTerm = term;
  }

  finish(): WriteSet {
    this.state.closeNamespaces();
    this.state.rows.put(COUNTERS_KEY, encodeCounters(this.state.counters));
    return this.state.rows.writeSet();
  }
}
