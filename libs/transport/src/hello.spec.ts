import * as fc from 'fast-check';

import { memberId, type NodeName } from '#contracts';

import {
  chooseVersion,
  decodeHello,
  decodeRefusal,
  decodeVersions,
  encodeHello,
  encodeRefusal,
  proofMatches,
  proofOf,
} from './hello';
import type { PeerHello } from './options';

const VERSIONS = { min: 1, max: 1 };
const NONCE = new Uint8Array(32).fill(7);

const text = fc.string({ unit: 'binary', maxLength: 60 });
const hello: fc.Arbitrary<PeerHello> = fc.record({
  channel: fc.constantFrom('messages' as const, 'bulk' as const, 'single' as const),
  clusterId: fc.option(fc.string({ minLength: 1, maxLength: 60 }), { nil: undefined }),
  memberId: fc.maxSafeNat().map(memberId),
  incarnation: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('hex')),
  name: text.map((name) => name as NodeName),
  region: text,
});

describe('hello', () => {
  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(hello, (one) => {
        expect(decodeHello(encodeHello(one, VERSIONS, NONCE))).toEqual(one);
      }),
      { seed: 7411 },
    );
  });

  test('cut, lengthened or random bytes are never a HELLO, and never throw', () => {
    fc.assert(
      fc.property(hello, fc.nat(), fc.uint8Array({ maxLength: 400 }), (one, at, random) => {
        const body = encodeHello(one, VERSIONS, NONCE);
        expect(decodeHello(body.subarray(0, at % body.length))).toBeUndefined();
        expect(decodeHello(Buffer.concat([body, Buffer.from([0])]))).toBeUndefined();
        decodeHello(Buffer.from(random));
        decodeVersions(Buffer.from(random));
        decodeRefusal(Buffer.from(random));
      }),
      { seed: 7412 },
    );
  });

  test('texts that do not fit and incarnations that are none are mistakes of the program', () => {
    const one: PeerHello = {
      channel: 'bulk',
      clusterId: 'c',
      memberId: memberId(1),
      incarnation: '0'.repeat(32),
      name: 'n' as NodeName,
      region: 'r',
    };
    expect(() => encodeHello({ ...one, region: 'x'.repeat(256) }, VERSIONS, NONCE)).toThrow(RangeError);
    expect(() => encodeHello({ ...one, incarnation: 'XYZ' }, VERSIONS, NONCE)).toThrow(RangeError);
  });

  test('the newest common version is chosen', () => {
    expect(chooseVersion({ min: 1, max: 3 }, { min: 2, max: 5 })).toBe(3);
    expect(chooseVersion({ min: 2, max: 5 }, { min: 1, max: 3 })).toBe(3);
    expect(chooseVersion({ min: 4, max: 5 }, { min: 1, max: 3 })).toBeUndefined();
    expect(chooseVersion({ min: 1, max: 3 }, { min: 4, max: 5 })).toBeUndefined();
  });

  test('a proof depends on the secret, the role and every part', () => {
    const transcript = { dialer: NONCE, acceptor: NONCE.subarray(1), channelBinding: new Uint8Array(0) };
    const proof = proofOf('dialer', 'secret', transcript);
    expect(proofMatches(proof, proofOf('dialer', 'secret', transcript))).toBe(true);
    const others = [
      proofOf('acceptor', 'secret', transcript),
      proofOf('dialer', 'Secret', transcript),
      proofOf('dialer', undefined, transcript),
      proofOf('dialer', 'secret', { ...transcript, dialer: NONCE.subarray(1), acceptor: NONCE }),
      proofOf('dialer', 'secret', { ...transcript, channelBinding: NONCE }),
      proof.subarray(0, 31),
      Buffer.alloc(0),
    ];
    for (const other of others) expect(proofMatches(proof, other)).toBe(false);
  });

  test('a refusal is bounded and safe to log', () => {
    const long = decodeRefusal(encodeRefusal('version', 'x'.repeat(10_000)));
    expect(long).toEqual({ reason: 'version', detail: 'x'.repeat(200) });
    expect(decodeRefusal(encodeRefusal('secret', 'a\n\u001b[31mb'))?.detail).toBe('a??[31mb');
    expect(decodeRefusal(Buffer.from('no such reason: x'))).toBeUndefined();
  });
});
