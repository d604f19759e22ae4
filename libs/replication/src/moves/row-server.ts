import { StateError, type GroupId, type MemberId } from '#contracts';
import { exportRows, type Digest } from '#state-machine';
import type { Borders } from '../meta/borders';
import type { Directory } from '../meta/directory';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import { seal } from '../snapshots/chunk';
import { decodeRowRequest, encodeRowAnswer, type RowAnswer, type RowRequest } from './row-request';

export interface RowServerOptions {
  readonly directory: Pick<Directory, 'namespaces'>;
  readonly borders: Borders;
  readonly digest: Digest;
  readonly replica: (group: GroupId) => Replica | undefined;
}

/** Bytes of one page of rows: an entry of the log where they go. */
export const ROW_PAGE_BYTES = 262_144;

/** Hands out the rows of a namespace that leaves this node's group; any replica can that has applied the freeze. */
export class RowServer {
  constructor(private readonly options: RowServerOptions) {}

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
    return Promise.resolve(seal(encodeRowAnswer(this.page(request)), digest));
  }

  /** Throws the error of a group that does not serve the namespace so, or not yet. */
  page({ group, ns, generation, after }: RowRequest): RowAnswer {
    const replica = this.options.replica(group);
    const tenancy = replica?.tenants.get(ns);
    const isFinal = tenancy?.state === 'frozen' || tenancy?.state === 'away';
    if (replica === undefined || !isFinal || tenancy.generation !== generation) throw moved();
    return { ...exportRows(replica.store, ns, after, ROW_PAGE_BYTES), commitSeq: replica.commitSeq };
  }
}
