import { readConfig } from './read-config';

/** Goal: what is said about NATS is taken or refused as a whole, and a secret is never shown. */
const read = (environment: Record<string, string>) => readConfig({ DEV_MODE: 'true', ...environment }).nats;
const NATS_URL = 'nats://a:4222,nats://b:4222';
const SEED = `SU${'A'.repeat(56)}`;

describe('the configuration of NATS', () => {
  it('is absent without a server', () => expect(read({})).toBeUndefined());

  it.each([
    [{ NATS_URL }, { kind: 'none' }],
    [
      { NATS_URL, NATS_USER: 'u', NATS_PASSWORD: 'p' },
      { kind: 'user', user: 'u', password: 'p' },
    ],
    [
      { NATS_URL, NATS_TOKEN: 't' },
      { kind: 'token', token: 't' },
    ],
    [
      { NATS_URL, NATS_NKEY_SEED: SEED },
      { kind: 'nkey', seed: SEED },
    ],
    [{ NATS_URL: 'nats://u:p%40@a:4222,nats://b:4222' }, { kind: 'user', user: 'u', password: 'p@' }],
  ])('knows who the node is: %#', (environment, credentials) => {
    expect(read(environment)).toEqual({
      urls: ['nats://a:4222', 'nats://b:4222'],
      credentials,
      tls: undefined,
    });
  });

  it.each([
    [{ NATS_URL: 'http://a' }, 'NATS_URL must be'],
    [{ NATS_URL, NATS_USER: 'u' }, 'NATS_PASSWORD is missing'],
    [{ NATS_URL, NATS_TOKEN: 't', NATS_USER: 'u', NATS_PASSWORD: 'p' }, 'Give only one of'],
    [{ NATS_URL, NATS_NKEY_SEED: 'secret' }, 'NATS_NKEY_SEED must be'],
    [{ NATS_URL: 'nats://u:p@a', NATS_TOKEN: 't' }, 'give only one of them'],
    [{ NATS_TOKEN: 't' }, 'NATS_TOKEN is set without NATS_URL'],
    [{ NATS_URL, NATS_TLS_CERT_PATH: '/c' }, 'NATS_TLS_KEY_PATH must be a path'],
    [{ NATS_URL, NATS_JETSTREAM: '1' }, 'NATS_JETSTREAM is not a variable'],
  ])('refuses %j', (environment, why) => {
    expect(() => read(environment)).toThrow(why);
    expect(() => read(environment)).not.toThrow('secret.');
  });
});
