import { StateError, type GroupId, type MemberId } from '#contracts';
import { exportRows, type Digest } from '#state-machine';
import type { Borders } from '../meta/borders';
import type { Directory } from '../meta/directory';
import type { Clock } from '../ports';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import { seal } from '../snapshots/chunk';
import { ROW_PAGE_BYTES, RowCopies } from './row-copies';
import { decodeRowRequest, encodeRowAnswer, type RowAnswer, type RowRequest } from './row-request';

export interface RowServerOptions {
  readonly directory: Pick<Directory, 'namespaces'>;
  readonly borders: Borders;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly replica: (group: GroupId) => Replica | undefined;
}

/** Hands out the rows of a namespace that leaves this node's group. */
export class RowServer {
  private readonly copies: RowCopies;

  constructor(private readonly options: RowServerOptions) {
    this.copies = new RowCopies(options.clock);
  }

  /** Answers another node, which has to be one that may hold the group where the namespace goes. */
  serve(from: MemberId, body: Uint8Array): Promise<Uint8Array> {
    const request = decodeRowRequest(body);
    const { directory, borders, digest } = this.options;
    const to = directory.namespaces.get(request.ns)?.movingTo;
    if (to === undefined || !borders.mayCarry(to, from)) {
      return Promise.reject(
        new StateError('region_not_allowed', 'The namespace is not on its way to this node.'),
      );
    }
    return Promise.resolve(seal(encodeRowAnswer(this.page(from, request)), digest));
  }

  /** Throws the error of a group that does not serve the namespace so, or not yet. */
  page(from: MemberId, request: RowRequest): RowAnswer {
    const { group, ns, generation, stage, after } = request;
    const replica = this.options.replica(group);
    if (replica === undefined) throw moved();
    if (stage !== 'frozen') return this.copies.page(from, replica, request);
    const tenancy = replica.tenants.get(ns);
    const isFinal = tenancy?.state === 'frozen' || tenancy?.state === 'away';
    if (!isFinal || tenancy.generation !== generation) throw moved();
    const page = exportRows(replica.store, ns, after, ROW_PAGE_BYTES);
    return { ...page, commitSeq: replica.commitSeq, waiting: 0, given: 0 };
  }
}
