import { META_GROUP, NO_MEMBER, type MemberId } from '#contracts';
import type { Digest } from '#state-machine';
import type { Driver } from './driver';
import type { Forwarding } from './forwarding';
import { Borders } from './meta/borders';
import type { Directory } from './meta/directory';
import { GroupFounder } from './meta/group-founder';
import type { MetaWriter } from './meta/meta-writer';
import { NamespaceAdmin } from './namespace-admin';
import type { NodeStatus } from './node-status';
import type { Replica } from './replica';
import { NamespaceMover } from './moves/namespace-mover';
import type { PlacementBug } from './moves/planted-bug';
import { RowServer } from './moves/row-server';
import type { Clock, Network } from './ports';
import type { ReplicaHost } from './replica-host';
import { RouteTable } from './routing';

export interface PlacementsOptions {
  readonly member: MemberId;
  readonly region: string;
  readonly directory: Directory;
  readonly driver: Driver;
  readonly host: ReplicaHost;
  readonly network: Network;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly plantedBug: PlacementBug | undefined;
  readonly onFatal: (error: Error) => void;
  readonly onWarning: (what: string, error: Error) => void;
}

/** A node's part in where namespaces are: their routes, who may carry what, groups that begin, moves. */
export class Placements {
  readonly borders: Borders;
  readonly routes: RouteTable;
  readonly rows: RowServer;
  private founder: GroupFounder | undefined;
  private mover: NamespaceMover | undefined;

  constructor(private readonly options: PlacementsOptions) {
    const { directory, driver, member, region, digest, clock } = options;
    this.borders = new Borders(directory, { member, region }, options.plantedBug);
    this.routes = new RouteTable(directory, region, {
      wereCurrent: () => driver.get(META_GROUP)?.hasCaughtUp === true,
      areFollowed: () => (driver.get(META_GROUP)?.leader ?? NO_MEMBER) !== NO_MEMBER,
    });
    this.rows = new RowServer({
      directory,
      borders: this.borders,
      digest,
      clock,
      replica: (group) => driver.get(group),
    });
  }

  /** From now on this node takes its part, through the documents and the links. */
  start(
    writer: MetaWriter,
    forwarding: Pick<Forwarding, 'write'>,
    gather: () => Promise<readonly NodeStatus[]>,
  ): void {
    this.founder = new GroupFounder({
      ...this.options,
      writer,
      mayHold: (group) => this.borders.mayCarry(group, this.options.member),
    });
    this.mover = new NamespaceMover({ ...this.options, writer, forwarding, gather, rows: this.rows });
  }

  /** What an operator asks about namespaces. */
  admin(writer: MetaWriter, gather: () => Promise<readonly NodeStatus[]>): NamespaceAdmin {
    return new NamespaceAdmin({ ...this.options, writer, gather });
  }

  /** Whether a replica's group serves a namespace no more that was routed to it: its history goes on elsewhere. */
  isAway(ns: string, replica: Replica): boolean {
    return replica.tenants.get(ns)?.state === 'away' && this.routes.groupOf(ns) === replica.group;
  }

  /** What the documents ask of this node now, if none of it is under way. */
  step(): void {
    this.founder?.step();
    this.mover?.step();
  }

  /** A group that is wanted here and not begun yet. */
  begin(): void {
    this.founder?.step();
  }
}
