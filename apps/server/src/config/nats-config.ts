import type { NatsCredentials } from '#nats';
import type { Read } from './read-config';
import type { NatsConfig } from './server-config';
import { StartError } from './start-error';

/** What the `NATS_` variables say together; `undefined` without `NATS_URL`. */
export function natsConfig(read: Read): NatsConfig | undefined {
  const urls = read('NATS_URL');
  const tls = natsTls(read);
  const given = credentialsGiven(read);
  if (urls === undefined) {
    const lonely = given?.variable ?? (tls === undefined ? undefined : 'NATS_TLS_CA_PATH');
    if (lonely === undefined) return undefined;
    throw new StartError(`${lonely} is set without NATS_URL. Example: NATS_URL=nats://127.0.0.1:4222`);
  }
  const inUrls = urls.map(credentialsIn);
  const inUrl = inUrls.find(({ kind }) => kind !== 'none');
  if (given !== undefined && inUrl !== undefined) {
    throw new StartError(`NATS_URL and ${given.variable} both say who this node is: give only one of them.`);
  }
  const credentials = given?.credentials ?? inUrl ?? { kind: 'none' };
  return { urls: urls.map(withoutCredentials), credentials, tls };
}

function credentialsGiven(
  read: Read,
): { readonly variable: string; readonly credentials: NatsCredentials } | undefined {
  const [user, password] = [read('NATS_USER'), read('NATS_PASSWORD')];
  const [token, seed] = [read('NATS_TOKEN'), read('NATS_NKEY_SEED')];
  if ((user === undefined) !== (password === undefined)) {
    const missing = user === undefined ? 'NATS_USER' : 'NATS_PASSWORD';
    throw new StartError(`${missing} is missing: NATS_USER and NATS_PASSWORD go together.`);
  }
  if ([user, token, seed].filter((one) => one !== undefined).length > 1) {
    throw new StartError('Give only one of NATS_USER with NATS_PASSWORD, NATS_TOKEN and NATS_NKEY_SEED.');
  }
  if (user !== undefined && password !== undefined) {
    return { variable: 'NATS_USER', credentials: { kind: 'user', user, password } };
  }
  if (token !== undefined) return { variable: 'NATS_TOKEN', credentials: { kind: 'token', token } };
  if (seed !== undefined) return { variable: 'NATS_NKEY_SEED', credentials: { kind: 'nkey', seed } };
  return undefined;
}

function natsTls(read: Read): NatsConfig['tls'] {
  const caPath = read('NATS_TLS_CA_PATH');
  const certPath = read('NATS_TLS_CERT_PATH');
  const keyPath = read('NATS_TLS_KEY_PATH');
  if (!certPath !== !keyPath) {
    const missing = certPath ? 'NATS_TLS_KEY_PATH' : 'NATS_TLS_CERT_PATH';
    throw new StartError(`${missing} must be a path: both go together. Example: ${missing}=/etc/tls/tls.pem`);
  }
  return caPath || certPath ? { caPath, certPath, keyPath } : undefined;
}

function credentialsIn(url: string): NatsCredentials {
  const { username, password } = new URL(url);
  if (username === '') return { kind: 'none' };
  const user = decodeURIComponent(username);
  if (password === '') return { kind: 'token', token: user };
  return { kind: 'user', user, password: decodeURIComponent(password) };
}

function withoutCredentials(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
