import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RESERVED_NAMESPACE_PREFIX } from '#contracts';
import type { Engine } from '#replication';
import { Authorizer } from '../auth';
import { invalidField } from '../errors';
import { checkNamespace } from '../http/identifiers';
import { queryParameters } from '../http/query-string';
import { ENGINE } from '../replication';
import { NdjsonStream } from './ndjson-stream';
import { heldSnapshots, manifestAnswer, snapshotAnswer, trimmedAnswer } from './snapshot-answer';
import type { ManifestView, SnapshotListView, SnapshotView, TrimmedView } from './snapshots.view';

/** What an operator asks about snapshots, in the words of the API. */
@Injectable()
export class SnapshotsService {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly authorizer: Authorizer,
  ) {}

  async take(): Promise<SnapshotView> {
    return snapshotAnswer(await this.engine.snapshots.take());
  }

  async list(): Promise<SnapshotListView> {
    return { snapshots: heldSnapshots(await this.engine.snapshots.manifest()) };
  }

  async manifest(): Promise<ManifestView> {
    return manifestAnswer(await this.engine.snapshots.manifest());
  }

  async trim(url: string): Promise<TrimmedView> {
    const snapshotId = queryParameters(url, (name) => name === 'snapshot_id').get('snapshot_id');
    if (!snapshotId) throw invalidField('snapshot_id', 'must name the snapshot that the log is trimmed to');
    return trimmedAnswer(await this.engine.snapshots.trim(snapshotId));
  }

  /** Resolves once the dump has begun; it then streams on its own. */
  async dump(url: string, reply: FastifyReply): Promise<void> {
    const ns = queryParameters(url, (name) => name === 'ns').get('ns');
    if (ns !== undefined) checkNamespace(ns);
    if (ns?.startsWith(RESERVED_NAMESPACE_PREFIX)) throw invalidField('ns', 'is reserved');
    if (ns !== undefined) this.authorizer.refuseOutside(ns, 'ADMIN');
    new NdjsonStream(reply, await this.engine.snapshots.dump(ns)).start();
  }
}
