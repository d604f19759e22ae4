import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { NatsBus, type NatsBusOptions } from '#nats';
import { TestAuthority } from '#testkit';
import { NatsServer } from './launcher/nats-server';
import { until } from './launcher/until';

type Proof = Pick<NatsBusOptions, 'credentials' | 'tls'>;

const TOPIC = { placement: 'default', key: 'k' };
const PASSWORD = 'a-password-of-this-test';
const TOKEN = 'a-token-of-this-test';

/** What the node has written to its log, to see what it says and that no secret is in it. */
class Lines {
  text = '';
  readonly info = (fields: object, message: string): void => this.add(fields, message);
  readonly warn = (fields: object, message: string): void => this.add(fields, message);
  private add(fields: object, message: string): void {
    const errors = Object.values(fields).map((value: unknown) =>
      value instanceof Error ? value.stack : value,
    );
    this.text += `${message} ${JSON.stringify(errors)}\n`;
  }
}

function open(server: NatsServer, proof: Proof, logger: Lines): NatsBus {
  // By name: the client checks certificates by names, never by addresses.
  const url = server.url.replace('127.0.0.1', 'localhost');
  return NatsBus.open({ urls: [url], name: 'node-1', clusterId: 'c', logger, ...proof });
}

/** A message from one connection to another. */
async function carries(server: NatsServer, proof: Proof): Promise<void> {
  const logger = new Lines();
  const [from, to] = [open(server, proof, logger), open(server, proof, logger)];
  try {
    const heard: string[] = [];
    to.subscribe(TOPIC, (message) => heard.push(Buffer.from(message).toString()));
    await until(`a message; ${logger.text}`, () => {
      from.publish(TOPIC, Buffer.from('event'));
      return heard.includes('event');
    });
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
}

/** It goes on trying, says so, carries nothing, and keeps the secret to itself. */
async function isRefused(server: NatsServer, proof: Proof, secret: string): Promise<void> {
  const logger = new Lines();
  const bus = open(server, proof, logger);
  try {
    await until('the refusal to be told', () => logger.text !== '');
    expect(bus.state).toBe('degraded');
    expect(bus.carries('default')).toBe(false);
    expect(bus.publish(TOPIC, Buffer.from('event'))).toBe(false);
    expect(logger.text).not.toContain(secret);
  } finally {
    await bus.close();
  }
}

/** The goal: each way to prove itself to a real NATS server lets a node in, and nothing else does. */
describe('a node at a NATS server', () => {
  let folder: string;
  let server: NatsServer | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-nats-'));
  });
  afterEach(async () => {
    server?.kill();
    server = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  test('that asks for a user and a password', async () => {
    server = await NatsServer.start(['--user', 'node', '--pass', PASSWORD]);
    const user = (password: string): Proof => ({ credentials: { kind: 'user', user: 'node', password } });
    await carries(server, user(PASSWORD));
    await isRefused(server, user('another-password'), 'another-password');
    await isRefused(server, { credentials: { kind: 'none' } }, PASSWORD);
  });

  test('that asks for a token', async () => {
    server = await NatsServer.start(['--auth', TOKEN]);
    await carries(server, { credentials: { kind: 'token', token: TOKEN } });
    await isRefused(server, { credentials: { kind: 'token', token: 'another-token' } }, 'another-token');
  });

  test('that knows its public key', async () => {
    const seedOf = (pair: nkeys.KeyPair): string => Buffer.from(pair.getSeed()).toString();
    const [known, stranger] = [nkeys.createUser(), nkeys.createUser()];
    const config = path.join(folder, 'nats.conf');
    await writeFile(config, `authorization { users: [ { nkey: ${known.getPublicKey()} } ] }\n`);
    server = await NatsServer.start(['--config', config]);
    await carries(server, { credentials: { kind: 'nkey', seed: seedOf(known) } });
    await isRefused(server, { credentials: { kind: 'nkey', seed: seedOf(stranger) } }, seedOf(stranger));
  });

  test('that speaks TLS and asks for a certificate', async () => {
    const [authority, others] = [new TestAuthority('ours'), new TestAuthority('theirs')];
    try {
      const [ofServer, ofNode] = [authority.issue('DNS:localhost'), authority.issue('DNS:node-1')];
      const ofStranger = others.issue('DNS:node-1');
      server = await NatsServer.start([
        ...['--tlsverify', '--tlscert', ofServer.certPath, '--tlskey', ofServer.keyPath],
        ...['--tlscacert', ofServer.caPath],
      ]);
      const none = { kind: 'none' } as const;
      const { certPath, keyPath, caPath } = ofNode;
      await carries(server, { credentials: none, tls: { certPath, keyPath, caPath } });
      // A server that another authority vouches for, a node that shows nothing, and one that shows a stranger's.
      await isRefused(
        server,
        { credentials: none, tls: { certPath, keyPath, caPath: ofStranger.caPath } },
        'PRIVATE',
      );
      await isRefused(server, { credentials: none, tls: { caPath } }, 'PRIVATE');
      const strange = { certPath: ofStranger.certPath, keyPath: ofStranger.keyPath, caPath };
      await isRefused(server, { credentials: none, tls: strange }, 'PRIVATE');
    } finally {
      authority.remove();
      others.remove();
    }
  });
});
