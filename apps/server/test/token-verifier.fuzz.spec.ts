import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { StateError } from '#contracts';
import { fuzz, fuzzDeadlineMs } from '#testkit';
import { TokenVerifier } from '../src/auth/token-verifier';
import { KEY, NEXT_KEY, claims, mint } from './test-server';

// Goal: of all texts only the very tokens that were minted are taken; everything else is refused with a code that the
// contract has. Method: changed tokens; what may be taken is known, because nobody else has the keys.

jest.setTimeout(fuzzDeadlineMs());

const NOW_SECONDS = 1_704_067_200;
const times = { iat: NOW_SECONDS, exp: NOW_SECONDS + 3_600 };
const KEYS = [
  { id: 'active', key: Buffer.from(KEY, 'base64') },
  { id: 'next', key: Buffer.from(NEXT_KEY, 'base64') },
];

const sign = (header: object, payload: unknown, key = KEY): string => {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', Buffer.from(key, 'base64')).update(input).digest('base64url')}`;
};

const GOOD = [
  // What the tokens of the corpus were before they were changed: undoing the change gives it.
  mint({ ns: 'agent://demo', ops: ['GET'], exp: times.exp }),
  mint(claims(times)),
  mint(claims({ ...times, ns: ['agent://demo', 'agent://x*'], jti: 'one' }), { kid: 'next', key: NEXT_KEY }),
  mint(claims({ ...times, regions: ['eu-west-1'], max_bytes: 100, max_qps: 5 })),
];
const BAD = [
  mint(claims({ ...times, exp: NOW_SECONDS - 61 })),
  mint(claims(times), { kid: 'nobody' }),
  mint(claims(times), { kid: 'next' }),
  sign({ alg: 'HS256', kid: 'active' }, null),
  sign({ alg: 'HS256', kid: 'active' }, { ns: 'a', ops: ['GET'], exp: '1' }),
  sign({ alg: 'HS256', kid: 'active', crit: ['exp'] }, [1]),
  sign({ alg: 'none', kid: 'active' }, claims(times)),
  '..',
];
const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const WORDS = ['.', '=', '==', '+', '/', '-', '_', ' ', '\n', '\0', 'ü', '!', 'eyJ', 'e30', 'bnVsbA'].map(
  latin1,
);

describe('fuzz', () => {
  test('token', async () => {
    let results: string[] = [];
    const verifier = new TokenVerifier(KEYS, (keyId, result) => results.push(`${keyId} ${result}`));
    const judge = (input: Uint8Array): string => {
      const token = Buffer.from(input).toString('latin1');
      results = [];
      let outcome = 'taken';
      try {
        verifier.verify(token, NOW_SECONDS * 1_000);
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        outcome = error.code;
      }
      expect(GOOD.includes(token)).toBe(outcome === 'taken');
      expect(outcome).toMatch(/^(taken|token_(malformed|expired|unknown_key|bad_signature))$/);
      expect(verifier.remembers(token)).toBe(outcome === 'taken' || outcome === 'token_expired');
      // Exactly one count, under a label that is ours.
      expect(results.join()).toMatch(
        /^(active|next|unknown) (ok|malformed|expired|unknown_key|bad_signature)$/,
      );
      return outcome;
    };
    const seeds = [...GOOD, ...BAD].map(latin1);
    const corpus = join(__dirname, 'fuzz-corpus');
    const { outcomes } = await fuzz({ name: 'token', corpus, seeds, words: WORDS, judge, maxBytes: 9_000 });
    expect([...outcomes.keys()].sort()).toEqual([
      'taken',
      'token_bad_signature',
      'token_expired',
      'token_malformed',
      'token_unknown_key',
    ]);
  });
});
