import { connect } from 'node:net';
import * as tls from 'node:tls';

import { memberId } from '#contracts';
import { TestAuthority, hasOpenssl } from '#testkit';

import { ManualClock } from '../testing/manual-clock';
import { SECRET, TestNode, startCluster, until } from '../testing/test-node';
import type { TlsMaterial, TransportCredentials } from './options';

// Goal: with TLS only nodes with a certificate of the cluster's authority get in, whoever dials.
// Method: authorities made with openssl for this run. Without openssl these tests are skipped, and named as such.

const describeTls = hasOpenssl() ? describe : describe.skip;

describeTls('tls', () => {
  let ours: TestAuthority;
  let theirs: TestAuthority;
  let good: TlsMaterial;
  let nodes: TestNode[] = [];

  beforeAll(() => {
    ours = new TestAuthority('our cluster');
    theirs = new TestAuthority('another cluster');
    good = ours.issue('IP:127.0.0.1');
  });

  afterAll(() => {
    ours.remove();
    theirs.remove();
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.transport.close()));
    nodes = [];
  });

  async function start(
    member: number,
    credentials: TransportCredentials,
    clock?: ManualClock,
  ): Promise<TestNode> {
    const limits = { backoffMinMs: 1, backoffMaxMs: 5 };
    const node = await TestNode.start(member, { credentials, limits, ...(clock ? { clock } : {}) });
    nodes.push(node);
    return node;
  }

  test.each([
    ['certificates alone', (): TransportCredentials => ({ tls: () => good })],
    ['certificates and the secret', (): TransportCredentials => ({ tls: () => good, secret: SECRET })],
  ])('%s prove a peer', async (_name, credentials) => {
    nodes = await startCluster(3, { credentials: credentials() });
    const [one, two] = nodes as [TestNode, TestNode];
    const body = Buffer.alloc(2_000_000, 'agentstate');
    expect(one.transport.send(memberId(2), 1, [body])).toBe(true);
    for (let count = 0; count < 500; count++) one.transport.send(memberId(2), 2, [Buffer.from(`${count}`)]);
    await until('all arrived', () => two.received.length === 501);
    expect(two.received[0]?.body.equals(body)).toBe(true);
    expect(two.received.slice(1).map((message) => Number(message.body.toString()))).toEqual([
      ...Array(500).keys(),
    ]);
    const answer = await one.transport.request(memberId(3), 1, body, { timeoutMs: 60_000 });
    expect(body.equals(answer)).toBe(true);
  });

  test('a certificate of another authority is refused by the acceptor', async () => {
    const one = await start(1, { tls: () => good });
    const stranger = theirs.issue('IP:127.0.0.1');
    const two = await start(2, { tls: () => ({ ...stranger, ca: good.ca }) });
    two.transport.setPeers([one.peer()]);
    await until('node 1 refuses', () => one.refusals('tls') > 0);
    await until('node 2 is told', () => two.refusals('tls', 'peer') > 0);
    expect(two.transport.connected(memberId(1))).toBe(false);
  });

  test('a certificate of another authority is refused by the dialer', async () => {
    const stranger = theirs.issue('IP:127.0.0.1');
    const one = await start(1, { tls: () => ({ ...stranger, ca: good.ca }) });
    const two = await start(2, { tls: () => good });
    two.transport.setPeers([one.peer()]);
    await until('node 2 refuses', () => two.refusals('tls') > 0);
    expect(two.transport.connected(memberId(1))).toBe(false);
  });

  test('no certificate, plain TCP, and a right certificate with a wrong secret', async () => {
    const one = await start(1, { tls: () => good, secret: SECRET });
    const { port } = one.transport.address;
    const anonymous = tls.connect({ port, host: '127.0.0.1', ca: good.ca });
    anonymous.on('error', () => undefined);
    await until('no certificate', () => one.refusals('tls') === 1);
    anonymous.destroy();
    const plain = connect(port, '127.0.0.1', () => plain.write('AGSTPEER'.repeat(10)));
    plain.on('error', () => undefined);
    await until('plain TCP', () => one.refusals('tls') === 2);
    plain.destroy();
    const two = await start(2, { tls: () => good, secret: 'guess' });
    two.transport.setPeers([one.peer()]);
    await until('wrong secret', () => one.refusals('secret') > 0);
    expect(two.transport.connected(memberId(1))).toBe(false);
  });

  test('the dialed host has to stand in the certificate, unless that is turned off', async () => {
    const elsewhere = ours.issue('DNS:elsewhere.example');
    const one = await start(1, { tls: () => elsewhere });
    const two = await start(2, { tls: () => good });
    two.transport.setPeers([one.peer()]);
    await until('node 2 refuses', () => two.refusals('tls') > 0);
    const three = await start(3, { tls: () => good, tlsCheckHost: false });
    three.transport.setPeers([one.peer()]);
    await until('node 3 is connected', () => three.transport.connected(memberId(1)));
  });

  test('new material is used from the reload on, and bad material changes nothing', async () => {
    let material = good;
    const one = await start(1, { tls: () => material });
    const two = await start(2, { tls: () => good });
    material = theirs.issue('IP:127.0.0.1');
    two.transport.setPeers([one.peer()]);
    await until('connected with the old one', () => two.transport.connected(memberId(1)));
    one.transport.reloadCredentials();
    expect(two.transport.connected(memberId(1))).toBe(true);
    two.transport.setPeers([]);
    two.transport.setPeers([one.peer()]);
    await until('the new one is refused', () => two.refusals('tls') > 0);
    material = { ...good, key: 'no key' };
    expect(() => one.transport.reloadCredentials()).toThrow();
    material = good;
    one.transport.reloadCredentials();
    await until('connected again', () => two.transport.connected(memberId(1)));
  });

  test('one that starts TLS and never ends it is dropped when its time is over', async () => {
    const clock = new ManualClock();
    const one = await start(1, { tls: () => good }, clock);
    let closed = false;
    const socket = connect(one.transport.address.port, '127.0.0.1').on('close', () => (closed = true));
    socket.on('error', () => undefined);
    socket.resume();
    await until('it is refused', () => {
      clock.advance(1_000);
      return one.refusals('timeout') === 1;
    });
    await until('it is closed', () => closed);
  });

  test('material that cannot be used ends the start', async () => {
    await expect(
      TestNode.start(1, { credentials: { tls: () => ({ ...good, cert: 'none' }) } }),
    ).rejects.toThrow();
  });
});
