import type { MemberId } from '#contracts';
import { decodeBody, encodeBody, type StandingAnswer, type StandingQuestion } from '../cluster-bodies';
import type { Introductions } from '../formation';
import type { NodeIdentity } from '../identity';
import type { Directory } from '../meta/directory';
import type { Clock, Network } from '../ports';
import { PeerKind } from './peer-kinds';

export interface StandingOptions {
  readonly identity: NodeIdentity;
  readonly directory: Directory;
  readonly network: Pick<Network, 'connected'>;
  /** Absent on a node that has no peers. */
  readonly introductions: Introductions | undefined;
  readonly addressOverrides: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
  readonly clock: Clock;
  /** The cluster has removed this node. */
  readonly onRemoved: () => void;
}

/** Between two rounds of questions, each of which dials every node that this one knows. */
const ASK_EVERY_MS = 2_000;
const ASK_TIMEOUT_MS = 1_000;
const QUESTION_FIELDS = { member: 'number', incarnation: 'string' } as const;

/**
 * Finds out whether this node still is a member when nobody links to it. One that was removed while it was away never
 * hears of it through its groups: nobody speaks to it any more. A removal is final and decided by the meta group, so one
 * node of the cluster that knows of it is enough; that it is one, the handshake has proven.
 */
export class Standing {
  private asking = false;
  private nextMs = 0;

  constructor(private readonly options: StandingOptions) {}

  /** Answers another node's question; also one that is let in no more may ask. */
  answer(body: Uint8Array): Uint8Array {
    const { member, incarnation } = decodeBody<StandingQuestion>(body, QUESTION_FIELDS);
    const known = this.options.directory.nodes.get(member);
    const answer: StandingAnswer = {
      state: known?.incarnation === incarnation ? known.state : 'unknown',
    };
    return encodeBody(answer);
  }

  /** To be called while the meta group has no leader here; does nothing while anybody is linked. */
  look(): void {
    const { clock, introductions } = this.options;
    if (introductions === undefined || this.asking || clock.monotonicMs() < this.nextMs) return;
    const peers = this.peers();
    if (peers.some(({ member }) => this.options.network.connected(member))) return;
    this.asking = true;
    void Promise.all(peers.map((peer) => this.isRemoved(peer, introductions))).then((answers) => {
      this.asking = false;
      this.nextMs = clock.monotonicMs() + ASK_EVERY_MS;
      if (answers.includes(true)) this.options.onRemoved();
    });
  }

  private async isRemoved(address: Address, introductions: Introductions): Promise<boolean> {
    const { member, incarnation } = this.options.identity;
    const question = encodeBody({ member, incarnation });
    try {
      const body = await introductions.ask(address, PeerKind.standing, question, {
        timeoutMs: ASK_TIMEOUT_MS,
      });
      return decodeBody<StandingAnswer>(body, { state: 'string' }).state === 'removed';
    } catch {
      // Away, or of a version that does not answer this: then nothing is known.
      return false;
    }
  }

  private peers(): readonly Address[] {
    const { identity, directory, addressOverrides } = this.options;
    const known = directory.nodes.size > 0 ? [...directory.nodes.values()] : identity.founders;
    return known
      .filter(({ member }) => member !== identity.member)
      .map(({ member, name, host, port }) => ({
        member,
        ...(addressOverrides.get(name) ?? { host, port }),
      }));
  }
}

interface Address {
  readonly member: MemberId;
  readonly host: string;
  readonly port: number;
}
