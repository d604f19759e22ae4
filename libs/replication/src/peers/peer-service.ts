import { commandNamespace, decodeOutcome, encodeOutcome, stampCommand } from '#codec';
import { StateError, type CommandOutcome, type GroupId, type MemberId, type ReadRequest } from '#contracts';
import type { Message } from '#raft';
import { refuseBytesWhenFull } from '../disk-space';
import type { Driver } from '../driver';
import type { Consistency, ReadAnswer } from '../engine';
import type { Forwarding } from '../forwarding';
import type { Borders } from '../meta/borders';
import { noLeader } from '../pending-reads';
import { proposeForwarded } from '../propose-command';
import { moved } from '../refusals';
import type { Clock, LogStore, Network } from '../ports';
import type { Replica } from '../replica';
import { readFrom } from '../replicated-engine';
import { PeerKind } from './peer-kinds';
import { readRaftFrame } from './raft-frame';
import {
  decodeForwardedRead,
  decodeForwardedWrite,
  decodeReadAnswer,
  encodeForwardedRead,
  encodeForwardedWrite,
  encodeReadAnswer,
} from './request-bodies';

export interface PeerServiceOptions {
  readonly member: MemberId;
  readonly network: Network;
  readonly driver: Driver;
  readonly log: LogStore;
  readonly clock: Clock;
  /** Nodes that hold a replica of a group, as far as this node knows. */
  readonly holders: (group: GroupId) => readonly MemberId[];
  /** Who may be told what a group holds, and may be sent what goes into it. */
  readonly borders: Borders;
  /** A message for a group that this node does not hold: it may be about to. */
  readonly onStranger: (group: GroupId, message: Message) => void;
  /** A message that offers a snapshot: its bytes are fetched before the core sees it. */
  readonly onSnapshotOffer: (replica: Replica, message: Message) => void;
  /** Further kinds of requests, answered by other parts of the node. */
  readonly others: ReadonlyMap<number, (from: MemberId, body: Uint8Array) => Promise<Uint8Array>>;
}

/** A forwarded write passes at most this many nodes: to a replica, and from there to the leader. */
const MAX_HOPS = 2;

/** The node's side of the links: takes what peers send, and carries requests to where they can be served. */
export class PeerService implements Forwarding {
  constructor(private readonly options: PeerServiceOptions) {
    options.network.setHandlers({
      onMessage: (from, kind, body) => this.onMessage(from, kind, body),
      onRequest: (from, kind, body) => this.onRequest(from, kind, body),
      onPeer: () => undefined,
    });
  }

  async write(
    group: GroupId,
    leader: MemberId | undefined,
    command: Uint8Array,
    timeoutMs: number,
    hops = 0,
  ): Promise<CommandOutcome> {
    const to = leader === undefined ? this.nearestHolder(group) : leader;
    if (to === 0 || to === undefined || to === this.options.member) throw noLeader();
    this.refuseCommandBeyond(group, to, command);
    const body = encodeForwardedWrite({ group, hops: hops + 1, timeoutMs, command });
    return decodeOutcome(await this.options.network.request(to, PeerKind.write, body, { timeoutMs }));
  }

  async read(
    group: GroupId,
    request: ReadRequest,
    consistency: Consistency,
    timeoutMs: number,
  ): Promise<ReadAnswer> {
    const to = this.nearestHolder(group);
    if (to === undefined) throw noLeader();
    this.refuseBeyond(group, to);
    const body = encodeForwardedRead({ group, timeoutMs, consistency, request });
    return decodeReadAnswer(await this.options.network.request(to, PeerKind.read, body, { timeoutMs }));
  }

  /** A pinned group's requests stay among nodes of its regions, whatever stale route led here. */
  private refuseBeyond(group: GroupId, other: MemberId): void {
    const { borders, member } = this.options;
    if (!borders.mayCarry(group, member) || !borders.mayCarry(group, other)) throw moved();
  }

  /** What a namespace is to a group is decided from outside of it, too: that says no more than the documents do. */
  private refuseCommandBeyond(group: GroupId, other: MemberId, command: Uint8Array): void {
    if (!this.options.borders.isPinned(group)) return;
    if (commandNamespace(command)?.isWrite === true) this.refuseBeyond(group, other);
  }

  private nearestHolder(group: GroupId): MemberId | undefined {
    const holders = this.options.holders(group).filter((member) => member !== this.options.member);
    return holders.find((member) => this.options.network.connected(member)) ?? holders[0];
  }

  private onMessage(from: MemberId, kind: number, body: Uint8Array): void {
    if (kind !== PeerKind.raft) return;
    for (const { group, message } of readRaftFrame(body)) {
      // The link has proven who is there; a message that claims another sender is not stepped.
      if (message.from !== from || message.to !== this.options.member) continue;
      if (!this.options.borders.mayCarry(group, from)) continue;
      const replica = this.options.driver.get(group);
      if (replica === undefined) this.options.onStranger(group, message);
      else if (message.snapshot !== undefined) this.options.onSnapshotOffer(replica, message);
      else this.options.driver.step(replica, message);
    }
  }

  private async onRequest(from: MemberId, kind: number, body: Uint8Array): Promise<Uint8Array> {
    if (kind === PeerKind.write) return this.serveWrite(from, body);
    if (kind === PeerKind.read) return this.serveRead(from, body);
    const other = this.options.others.get(kind);
    if (other === undefined)
      throw new StateError('invalid_request', `Unknown kind of peer request: ${kind}.`);
    return other(from, body);
  }

  private async serveWrite(from: MemberId, body: Uint8Array): Promise<Uint8Array> {
    const { group, hops, timeoutMs, command } = decodeForwardedWrite(body);
    const { clock, driver } = this.options;
    const replica = driver.get(group);
    this.refuseCommandBeyond(group, from, command);
    if (replica?.isLeader === true) {
      refuseBytesWhenFull(this.options.log, command);
      // The time of a command is that of the leader that proposes it.
      stampCommand(command, clock.wallMs());
      return encodeOutcome(await proposeForwarded(replica, command, clock.monotonicMs() + timeoutMs));
    }
    if (replica === undefined || hops >= MAX_HOPS) throw noLeader();
    return encodeOutcome(await this.write(group, replica.leader, command, timeoutMs, hops));
  }

  private async serveRead(from: MemberId, body: Uint8Array): Promise<Uint8Array> {
    const { group, timeoutMs, consistency, request } = decodeForwardedRead(body);
    this.refuseBeyond(group, from);
    const replica = this.options.driver.get(group);
    if (replica === undefined) throw noLeader();
    return encodeReadAnswer(
      await readFrom(replica, request, { consistency, timeoutMs, clock: this.options.clock }),
    );
  }
}
