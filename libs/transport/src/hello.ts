import { createHmac, timingSafeEqual } from 'node:crypto';

import { memberId, type NodeName } from '#contracts';

import { REFUSAL_REASONS, type LinkChannel, type PeerHello, type RefusalReason } from './options';

export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;
const INCARNATION_BYTES = 16;
const FIXED_BYTES = 2 + 2 + 1 + 1 + 8 + INCARNATION_BYTES + NONCE_BYTES;
const CHANNEL_CODES: Readonly<Record<LinkChannel, number>> = { messages: 1, bulk: 2, single: 3 };
const CHANNELS: readonly (LinkChannel | undefined)[] = [undefined, 'messages', 'bulk', 'single'];

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** The body of a HELLO frame; FORMAT.md has the layout. Throws if a text is too long or the incarnation is no hex. */
export function encodeHello(hello: PeerHello, versions: VersionRange, nonce: Uint8Array): Buffer {
  const texts = [hello.clusterId ?? '', hello.name, hello.region].map((text) => Buffer.from(text, 'utf8'));
  const incarnation = Buffer.from(hello.incarnation, 'hex');
  if (!/^[0-9a-f]{32}$/.test(hello.incarnation)) throw new RangeError('incarnation is not 32 hex digits');
  if (nonce.length !== NONCE_BYTES) throw new RangeError('nonce has the wrong length');
  const body = Buffer.alloc(FIXED_BYTES + texts.reduce((sum, text) => sum + 1 + text.length, 0));
  body.writeUInt16BE(versions.min, 0);
  body.writeUInt16BE(versions.max, 2);
  body[4] = CHANNEL_CODES[hello.channel];
  body[5] = hello.clusterId === undefined ? 0 : 1;
  body.writeBigUInt64BE(BigInt(hello.memberId), 6);
  body.set(incarnation, 14);
  body.set(nonce, 14 + INCARNATION_BYTES);
  let offset = FIXED_BYTES;
  for (const text of texts) {
    if (text.length > 255) throw new RangeError('cluster id, name and region have at most 255 bytes each');
    body[offset] = text.length;
    body.set(text, offset + 1);
    offset += 1 + text.length;
  }
  return body;
}

/** The first four bytes of every HELLO, whatever its version. */
export function decodeVersions(body: Buffer): VersionRange | undefined {
  if (body.length < 4) return undefined;
  return { min: body.readUInt16BE(0), max: body.readUInt16BE(2) };
}

/** The version both speak, the newest; `undefined` when there is none. */
export function chooseVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const version = Math.min(ours.max, theirs.max);
  return version >= ours.min && version >= theirs.min ? version : undefined;
}

/** `undefined` for bytes that are no HELLO of a version that this node speaks. */
export function decodeHello(body: Buffer): PeerHello | undefined {
  if (body.length < FIXED_BYTES) return undefined;
  const channel = CHANNELS[body[4] as number];
  const hasCluster = body[5] as number;
  const member = body.readBigUInt64BE(6);
  if (channel === undefined || hasCluster > 1 || member > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const texts: string[] = [];
  let offset = FIXED_BYTES;
  while (texts.length < 3) {
    const length = body[offset];
    if (length === undefined || offset + 1 + length > body.length) return undefined;
    texts.push(body.toString('utf8', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  const [clusterId, name, region] = texts as [string, string, string];
  if (offset !== body.length || (hasCluster === 0) !== (clusterId === '')) return undefined;
  return {
    channel,
    clusterId: hasCluster === 1 ? clusterId : undefined,
    memberId: memberId(Number(member)),
    incarnation: body.toString('hex', 14, 14 + INCARNATION_BYTES),
    name: name as NodeName,
    region,
  };
}

/** Both HELLO bodies as they went over the wire, and what ties them to the TLS session (empty without TLS). */
export interface Transcript {
  readonly dialer: Uint8Array;
  readonly acceptor: Uint8Array;
  readonly channelBinding: Uint8Array;
}

/**
 * HMAC-SHA256 (RFC 2104) under the cluster secret over a label for the role and the transcript. The label keeps a
 * proof from being sent back to its maker, the two nonces from being used twice, the channel binding (RFC 5705)
 * from being relayed over another TLS session. Without a secret the key is empty and the certificate is the proof.
 */
export function proofOf(
  role: 'dialer' | 'acceptor',
  secret: string | undefined,
  transcript: Transcript,
): Buffer {
  const mac = createHmac('sha256', secret ?? '').update(`agentstate peer ${role}\0`);
  for (const part of [transcript.dialer, transcript.acceptor, transcript.channelBinding]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    mac.update(length).update(part);
  }
  return mac.digest();
}

/** Compares in a time that does not depend on where they differ. */
export function proofMatches(expected: Buffer, received: Buffer): boolean {
  return received.length === expected.length && timingSafeEqual(expected, received);
}

const MAX_DETAIL_CHARACTERS = 200;

/** The body of a REFUSAL frame: `reason: detail`, for the other side's log. */
export function encodeRefusal(reason: RefusalReason, detail: string): Buffer {
  return Buffer.from(`${reason}: ${detail.slice(0, MAX_DETAIL_CHARACTERS)}`, 'utf8');
}

export function decodeRefusal(body: Buffer): { reason: RefusalReason; detail: string } | undefined {
  const text = body.toString('utf8', 0, MAX_DETAIL_CHARACTERS * 4);
  const colon = text.indexOf(': ');
  const reason = REFUSAL_REASONS.find((known) => known === text.slice(0, colon));
  if (reason === undefined) return undefined;
  // Read before the peer is proven and bound for a log: nothing but printable ASCII.
  const detail = text.slice(colon + 2).replace(/[^ -~]/g, '?');
  return { reason, detail: detail.slice(0, MAX_DETAIL_CHARACTERS) };
}
