import { META_GROUP, StateError, memberId, type MemberId } from '#contracts';
import { decodeBody, encodeBody, type JoinAnswer, type JoinQuestion } from '../cluster-bodies';
import type { Driver } from '../driver';
import type { FoundingMember } from '../identity';
import { PeerKind } from '../peers/peer-kinds';
import { noLeader } from '../pending-reads';
import type { Network } from '../ports';
import type { Directory } from './directory';
import type { NodeDocument } from './documents';
import type { MetaWriter } from './meta-writer';

const JOIN_FIELDS = {
  name: 'string',
  incarnation: 'string',
  region: 'string',
  host: 'string',
  port: 'number',
  httpUrl: 'string',
} as const;
const FORWARD_TIMEOUT_MS = 5_000;

export interface AdmissionOptions {
  readonly clusterId: string;
  /** This node. */
  readonly member: MemberId;
  readonly driver: Pick<Driver, 'get'>;
  readonly directory: Pick<Directory, 'nodes' | 'activeByName'>;
  readonly writer: Pick<MetaWriter, 'leads' | 'writeNodes'>;
  readonly network: Pick<Network, 'connected' | 'request'>;
}

/**
 * Lets a node into the cluster: gives it a member id that nobody had before. A node that asks again (its answer was
 * lost) gets the same id. One that comes back under a known name with another disk replaces the old one, unless
 * that is alive (two nodes of one name are a mistake) or of another region.
 */
export class Admission {
  constructor(private readonly options: AdmissionOptions) {}

  async admit(body: Uint8Array): Promise<Uint8Array> {
    const { driver, directory, writer, network, member } = this.options;
    if (!writer.leads) {
      const leader = driver.get(META_GROUP)?.leader;
      if (leader === undefined || leader === 0) throw noLeader();
      return network.request(leader, PeerKind.join, body, { timeoutMs: FORWARD_TIMEOUT_MS });
    }
    if (directory.nodes.size === 0) throw noLeader();
    const question = decodeBody<JoinQuestion>(body, JOIN_FIELDS);
    const known = directory.activeByName(question.name);
    if (known?.incarnation === question.incarnation) return this.answer(known.member);
    // This node is its own proof: the links know nothing of it.
    if (known !== undefined && (known.member === member || network.connected(known.member))) {
      throw new StateError(
        'conflict',
        `A node named ${question.name} is alive; give the new one another NODE_ID.`,
      );
    }
    if (known !== undefined && known.region !== question.region) {
      // It would take the old one's place without a look at what may be held in the old one's region alone.
      throw new StateError(
        'conflict',
        `A node named ${question.name} is of the region ${known.region}, not ${question.region}; remove that one first, or give the new one another NODE_ID.`,
      );
    }
    const newcomer: NodeDocument = {
      ...question,
      member: memberId(Math.max(...directory.nodes.keys()) + 1),
      state: 'active',
    };
    await writer.writeNodes(
      known === undefined ? [newcomer] : [newcomer, { ...known, state: 'removed' as const }],
    );
    return this.answer(newcomer.member);
  }

  private answer(member: NodeDocument['member']): Uint8Array {
    const peers: FoundingMember[] = [...this.options.directory.nodes.values()]
      .filter((node) => node.state !== 'removed' && node.member !== member)
      .map(({ member: peer, name, region, host, port, incarnation }) => {
        return { member: peer, name, region, host, port, incarnation };
      });
    const answer: JoinAnswer = { clusterId: this.options.clusterId, member, peers };
    return encodeBody(answer);
  }
}
