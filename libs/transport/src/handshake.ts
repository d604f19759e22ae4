import { randomBytes } from 'node:crypto';
import { TLSSocket } from 'node:tls';

import { NO_MEMBER, type MemberId } from '#contracts';

import type { TransportContext } from './context';
import { FrameType, type FrameFault } from './frame';
import type { FrameSocket, FrameSocketOwner } from './frame-socket';
import {
  NONCE_BYTES,
  chooseVersion,
  decodeHello,
  decodeRefusal,
  decodeVersions,
  encodeHello,
  encodeRefusal,
  proofMatches,
  proofOf,
} from './hello';
import type { LinkChannel, PeerHello, RefusalReason } from './options';

export type HandshakeOutcome =
  /** `member`: both sides are members of the same cluster. Otherwise one of them is still joining. */
  | { readonly kind: 'proven'; readonly hello: PeerHello; readonly member: boolean }
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      readonly by: 'us' | 'peer';
      readonly detail: string;
    }
  | { readonly kind: 'closed'; readonly cause: string };

/** The dialer knows what it wants; the acceptor learns the channel from the dialer's HELLO. */
export type HandshakeRole =
  | { readonly kind: 'dialer'; readonly channel: LinkChannel; readonly expected: MemberId | undefined }
  | { readonly kind: 'acceptor' };

const CHANNEL_BINDING_LABEL = 'EXPORTER-agentstate-peer';
const NOTHING = Buffer.alloc(0);

/**
 * One side of: dialer's HELLO, acceptor's HELLO, dialer's PROOF, acceptor's PROOF.
 *
 * The dialer proves itself first, so that nobody gets an HMAC out of a node's port without knowing the secret.
 * Identities are judged after the proof alone: a stranger learns nothing about members from the answers.
 * `done` runs once, unless {@link abort} came before.
 */
export class Handshake implements FrameSocketOwner {
  private frames: FrameSocket | undefined;
  private ourHello: Buffer = NOTHING;
  private theirHello: Buffer = NOTHING;
  private hello: PeerHello | undefined;
  private finished = false;

  constructor(
    private readonly context: TransportContext,
    private readonly role: HandshakeRole,
    private readonly done: (outcome: HandshakeOutcome) => void,
  ) {}

  /** Call once the socket is connected. */
  start(frames: FrameSocket): void {
    this.frames = frames;
    if (this.role.kind === 'dialer') this.sendHello(this.role.channel);
  }

  /** Ends it from outside: by a timer, or because nobody wants the connection any more. */
  refuse(reason: RefusalReason, detail: string): void {
    if (this.finished) return;
    if (this.role.kind === 'acceptor' && this.ourHello === NOTHING) this.frames?.sendPreamble();
    const body = encodeRefusal(reason, detail);
    this.frames?.queue.push({ type: FrameType.refusal, kind: 0, correlation: 0 }, [body], body.length);
    this.frames?.finish(`refused: ${reason}`);
    this.finish({ kind: 'refused', reason, by: 'us', detail });
  }

  abort(cause: string): void {
    this.finished = true;
    this.frames?.destroy(cause);
  }

  onFrame(type: number, _kind: number, _correlation: number, body: Buffer): void {
    if (this.finished) return;
    if (type === FrameType.refusal) this.onRefusal(body);
    else if (type === FrameType.hello && this.hello === undefined) this.onHello(body);
    else if (type === FrameType.proof && this.hello !== undefined) this.onProof(this.hello, body);
    else this.refuse('malformed', 'a frame out of order in the handshake');
  }

  onFault(fault: FrameFault | 'bad_magic'): void {
    this.refuse(fault, 'the bytes are not those of a peer');
  }

  onClose(cause: string): void {
    this.finish({ kind: 'closed', cause });
  }

  private onHello(body: Buffer): void {
    const versions = decodeVersions(body);
    if (versions === undefined) return this.refuse('malformed', 'the HELLO cannot be read');
    const ours = this.context.versions;
    if (chooseVersion(ours, versions) === undefined) {
      const range = (of: { min: number; max: number }): string => `${of.min} to ${of.max}`;
      const detail = `this node speaks protocol versions ${range(ours)}, the peer ${range(versions)}`;
      return this.refuse('version', detail);
    }
    this.hello = decodeHello(body);
    if (this.hello === undefined) return this.refuse('malformed', 'the HELLO cannot be read');
    if (this.role.kind === 'dialer' && this.hello.channel !== this.role.channel) {
      return this.refuse('malformed', 'the peer answers for another channel');
    }
    this.theirHello = body;
    if (this.role.kind === 'acceptor') this.sendHello(this.hello.channel);
    else this.sendProof();
  }

  private onProof(hello: PeerHello, body: Buffer): void {
    const { secret } = this.context.credentials;
    const theirs = this.role.kind === 'dialer' ? 'acceptor' : 'dialer';
    if (!proofMatches(proofOf(theirs, secret, this.transcript()), body)) {
      return this.refuse('secret', 'the proof does not match');
    }
    const verdict = this.judge(hello);
    if (!verdict.ok) return this.refuse(verdict.reason, verdict.detail);
    if (this.role.kind === 'acceptor') this.sendProof();
    this.finish({ kind: 'proven', hello, member: verdict.member });
  }

  private onRefusal(body: Buffer): void {
    const refusal = decodeRefusal(body);
    this.frames?.destroy('refused by the peer');
    this.finish({
      kind: 'refused',
      by: 'peer',
      reason: refusal?.reason ?? 'malformed',
      detail: refusal?.detail ?? 'a refusal that cannot be read',
    });
  }

  private judge(
    hello: PeerHello,
  ): { ok: true; member: boolean } | { ok: false; reason: RefusalReason; detail: string } {
    const { identity, ready } = this.context;
    const named = `member ${hello.memberId} (${hello.name})`;
    const refused = (reason: RefusalReason, detail: string): ReturnType<Handshake['judge']> => ({
      ok: false,
      reason,
      detail,
    });
    if (hello.incarnation === identity.incarnation) return refused('self', 'both ends are the same node');
    const bothInClusters = hello.clusterId !== undefined && identity.clusterId !== undefined;
    if (bothInClusters && hello.clusterId !== identity.clusterId) {
      return refused('wrong_cluster', `${named} belongs to another cluster`);
    }
    const { expected } = this.role.kind === 'dialer' ? this.role : { expected: undefined };
    if (expected !== undefined && hello.memberId !== expected) {
      return refused('unknown_member', `expected member ${expected} at this address and found ${named}`);
    }
    const admission = this.context.admit(hello);
    if (!admission.ok) return refused(admission.reason, `${named} is not admitted`);
    const bothNumbered = hello.memberId !== NO_MEMBER && identity.memberId !== NO_MEMBER;
    const member = bothInClusters && bothNumbered && admission.former !== true;
    if (!member && hello.channel !== 'single') {
      return refused('unknown_member', `${named} is no member of the same cluster`);
    }
    if (member && !ready && hello.channel !== 'single')
      return refused('not_ready', 'this node is still starting');
    return { ok: true, member };
  }

  private sendHello(channel: LinkChannel): void {
    const { identity, versions } = this.context;
    this.ourHello = encodeHello({ ...identity, channel }, versions, randomBytes(NONCE_BYTES));
    this.frames?.sendPreamble();
    this.send(FrameType.hello, this.ourHello);
  }

  private sendProof(): void {
    this.send(FrameType.proof, proofOf(this.role.kind, this.context.credentials.secret, this.transcript()));
  }

  private send(type: number, body: Buffer): void {
    this.frames?.queue.push({ type, kind: 0, correlation: 0 }, [body], body.length);
  }

  private transcript(): { dialer: Buffer; acceptor: Buffer; channelBinding: Buffer } {
    const socket = this.frames?.socket;
    const dialing = this.role.kind === 'dialer';
    return {
      dialer: dialing ? this.ourHello : this.theirHello,
      acceptor: dialing ? this.theirHello : this.ourHello,
      channelBinding:
        socket instanceof TLSSocket
          ? socket.exportKeyingMaterial(32, CHANNEL_BINDING_LABEL, NOTHING)
          : NOTHING,
    };
  }

  private finish(outcome: HandshakeOutcome): void {
    if (this.finished) return;
    this.finished = true;
    this.done(outcome);
  }
}
