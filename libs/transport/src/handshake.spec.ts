import { connect, type Socket } from 'node:net';

import { memberId, type NodeName } from '#contracts';

import { LinkProxy } from '../testing/link-proxy';
import { ManualClock } from '../testing/manual-clock';
import { CLUSTER, SECRET, TestNode, incarnationOf, until } from '../testing/test-node';
import { FrameType, PREAMBLE, encodeFrame } from './frame';
import { encodeHello } from './hello';
import type { PeerHello, RefusalReason, TransportOptions } from './options';

// Goal: nobody gets past the handshake who should not, and every refusal is counted under its reason.
// Method: a well-behaved node, and others that are wrong in one thing each; and raw sockets.

let nodes: TestNode[] = [];
let sockets: Socket[] = [];
let proxies: LinkProxy[] = [];

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(nodes.map((node) => node.transport.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  nodes = [];
  sockets = [];
  proxies = [];
});

async function start(member: number, options: Partial<TransportOptions> = {}): Promise<TestNode> {
  const node = await TestNode.start(member, { limits: { backoffMinMs: 1, backoffMaxMs: 5 }, ...options });
  nodes.push(node);
  return node;
}

const identity = (overrides: Partial<TransportOptions['identity']>): TransportOptions['identity'] => ({
  clusterId: CLUSTER,
  memberId: memberId(2),
  incarnation: incarnationOf(2_000),
  name: 'node-2' as NodeName,
  region: 'local',
  ...overrides,
});

/** Node 2 dials node 1: node 1 refuses with `reason`, node 2 is told so, and neither gets connected. */
async function expectRefusal(reason: RefusalReason, one: TestNode, two: TestNode): Promise<void> {
  two.transport.setPeers([one.peer()]);
  await until(`node 1 refuses: ${reason}`, () => one.refusals(reason) >= 2);
  await until('node 2 is told', () => two.refusals(reason, 'peer') >= 2);
  expect(two.transport.connected(memberId(1))).toBe(false);
  expect(one.refused.every((refusal) => refusal.reason === reason)).toBe(true);
  expect(one.received).toEqual([]);
}

/** A raw client of a node, with what it was sent back. */
async function dialRaw(
  node: TestNode,
): Promise<{ socket: Socket; received: () => Buffer; closed: () => boolean }> {
  const socket = connect(node.transport.address.port, '127.0.0.1');
  sockets.push(socket);
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, received: () => Buffer.concat(chunks), closed: () => closed };
}

describe('handshake between transports', () => {
  test('another secret, on either side', async () => {
    await expectRefusal('secret', await start(1), await start(2, { credentials: { secret: `${SECRET}!` } }));
  });

  test('another cluster', async () => {
    await expectRefusal(
      'wrong_cluster',
      await start(1),
      await start(2, { identity: identity({ clusterId: 'other' }) }),
    );
  });

  test('an older and a newer version are refused, and the log names both ranges', async () => {
    const one = await start(1, { protocolVersions: { min: 2, max: 3 } });
    await expectRefusal('version', one, await start(2));
    expect(one.logs.join()).toContain('speaks protocol versions 2 to 3, the peer 1 to 1');
    const newer = await start(3, { protocolVersions: { min: 4, max: 6 } });
    one.refused.length = 0;
    await expectRefusal('version', one, newer);
    expect(newer.logs.join()).toContain('versions 2 to 3, the peer 4 to 6');
  });

  test('a newer version that still speaks ours is taken', async () => {
    const one = await start(1);
    const two = await start(2, { protocolVersions: { min: 1, max: 2 } });
    two.transport.setPeers([one.peer()]);
    await until('connected', () => two.transport.connected(memberId(1)));
  });

  test('another incarnation of a known member, and an unknown member', async () => {
    const remembered = new Map<number, string>();
    const admit = (hello: PeerHello): ReturnType<TransportOptions['admit']> => {
      if (hello.memberId > 2) return { ok: false, reason: 'unknown_member' };
      const first = remembered.get(hello.memberId) ?? hello.incarnation;
      remembered.set(hello.memberId, first);
      return first === hello.incarnation ? { ok: true } : { ok: false, reason: 'stale_incarnation' };
    };
    const one = await start(1, { admit });
    const two = await start(2);
    two.transport.setPeers([one.peer()]);
    await until('connected', () => two.transport.connected(memberId(1)));
    await two.transport.close();

    await expectRefusal('stale_incarnation', one, await start(2, { identity: identity({}) }));
    await nodes.pop()?.transport.close();
    one.refused.length = 0;
    await expectRefusal('unknown_member', one, await start(3));
  });

  test('the dialer checks as well: admission, and that the right member answers', async () => {
    const one = await start(1);
    const two = await start(2, { admit: () => ({ ok: false, reason: 'stale_incarnation' }) });
    two.transport.setPeers([one.peer()]);
    await until('node 2 refuses', () => two.refusals('stale_incarnation') >= 2);
    const three = await start(3);
    three.transport.setPeers([{ ...one.peer(), member: memberId(7) }]);
    await until('node 3 refuses', () => three.refusals('unknown_member') >= 2);
    expect(two.transport.connected(memberId(1)) || three.transport.connected(memberId(7))).toBe(false);
  });

  test('a node that reaches itself under another id', async () => {
    const one = await start(1);
    one.transport.setPeers([{ ...one.peer(), member: memberId(2) }]);
    await until('it refuses itself', () => one.refusals('self') > 0);
    expect(one.transport.connected(memberId(2))).toBe(false);
  });

  test('its own address among the peers is skipped', async () => {
    const one = await start(1);
    one.transport.setPeers([one.peer()]);
    expect(one.transport.connected(memberId(1))).toBe(false);
  });

  test('when admission changes, the links that it no longer covers end', async () => {
    let open = true;
    const one = await start(1, {
      admit: () => (open ? { ok: true } : { ok: false, reason: 'unknown_member' }),
    });
    const two = await start(2);
    two.transport.setPeers([one.peer()]);
    await until('connected', () => two.transport.connected(memberId(1)));
    open = false;
    one.transport.setPeers([]);
    await until('disconnected', () => two.refusals('unknown_member', 'peer') > 0);
  });

  test('a relay that changes a bit of the handshake or of a frame gets nowhere', async () => {
    const one = await start(1);
    const two = await start(2, { limits: { backoffMinMs: 60_000, backoffMaxMs: 60_000 } });
    const proxy = await LinkProxy.open(one.transport.address);
    proxies.push(proxy);
    two.transport.setPeers([one.peer(proxy.port)]);
    await until('connected', () => two.transport.connected(memberId(1)));
    proxy.corruptNext();
    two.transport.send(memberId(1), 1, [Buffer.alloc(1_000)]);
    await until('node 1 notices', () => one.faults.length > 0);
    expect(one.faults).toEqual(['crc']);
    expect(one.received).toEqual([]);
    await until('the link is gone', () => !two.transport.connected(memberId(1)));
  });
});

describe('strangers', () => {
  test('another protocol is told apart by its first bytes', async () => {
    const one = await start(1);
    const { socket, closed } = await dialRaw(one);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('it is closed', closed);
    expect(one.refused).toEqual([{ reason: 'bad_magic', by: 'us' }]);
  });

  test('garbage after the preamble, a frame too large, a wrong checksum, frames out of order', async () => {
    const hello = encodeFrame(
      { type: FrameType.hello, kind: 0, correlation: 0 },
      encodeHello({ ...identity({}), channel: 'messages' }, { min: 1, max: 1 }, new Uint8Array(32)),
    );
    const damaged = Buffer.from(hello);
    damaged[30] = (damaged[30] as number) ^ 0x10;
    const message = encodeFrame({ type: FrameType.message, kind: 1, correlation: 0 }, Buffer.from('early'));
    const ping = encodeFrame({ type: FrameType.ping, kind: 0, correlation: 1 }, Buffer.alloc(0));
    const proof = encodeFrame({ type: FrameType.proof, kind: 0, correlation: 0 }, Buffer.alloc(32));
    const shortHello = encodeFrame(
      { type: FrameType.hello, kind: 0, correlation: 0 },
      Buffer.from([0, 1, 0, 1, 9]),
    );
    const cases: [RefusalReason, Buffer[]][] = [
      ['malformed', [Buffer.alloc(40)]],
      ['frame_too_large', [Buffer.alloc(40, 0xff)]],
      ['frame_too_large', [Buffer.from([0, 0, 0x20, 0])]],
      ['crc', [damaged]],
      ['malformed', [message]],
      ['malformed', [hello, message]],
      ['malformed', [hello, ping]],
      ['malformed', [hello, hello]],
      ['malformed', [proof]],
      ['malformed', [shortHello]],
      ['secret', [hello, proof]],
    ];
    for (const [reason, frames] of cases) {
      const one = await start(1);
      const { socket, closed } = await dialRaw(one);
      socket.write(Buffer.concat([PREAMBLE, ...frames]));
      await until(`it is closed: ${reason}`, closed);
      expect(one.refused).toEqual([{ reason, by: 'us' }]);
      expect([one.received, one.faults]).toEqual([[], []]);
    }
  });

  test('a stranger learns nothing before it says HELLO, and no proof before it proves itself', async () => {
    const one = await start(1);
    const { socket, received } = await dialRaw(one);
    socket.write(PREAMBLE);
    const hello = encodeHello(
      { ...identity({}), channel: 'messages' },
      { min: 1, max: 1 },
      new Uint8Array(32),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(received()).toHaveLength(0);
    socket.write(encodeFrame({ type: FrameType.hello, kind: 0, correlation: 0 }, hello));
    await until('its HELLO arrives', () => received().length > PREAMBLE.length);
    // Its HELLO is one frame and the only one.
    expect(received().readUInt32BE(PREAMBLE.length)).toBe(received().length - PREAMBLE.length - 4);
  });

  test('4 KiB is all that is read of one that proves nothing', async () => {
    const one = await start(1);
    const { socket, closed } = await dialRaw(one);
    const half = Buffer.alloc(4_090);
    half.writeUInt32BE(4_090, 0);
    socket.write(Buffer.concat([PREAMBLE, half]));
    await until('it is closed', closed);
    expect(one.refused).toEqual([{ reason: 'frame_too_large', by: 'us' }]);
  });

  test('one that is silent, or drips, is dropped when its time is over', async () => {
    const clock = new ManualClock();
    const one = await start(1, { clock });
    const silent = await dialRaw(one);
    const dripping = await dialRaw(one);
    dripping.socket.write(PREAMBLE.subarray(0, 3));
    await until('both are refused', () => {
      clock.advance(1_000);
      return one.refusals('timeout') === 2;
    });
    await until('both are closed', () => {
      clock.advance(1_000);
      return silent.closed() && dripping.closed();
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test('their number is bounded, and peers come through once they are gone', async () => {
    const clock = new ManualClock();
    const one = await start(1, { clock, limits: { unprovenConnections: 2 } });
    const strangers = [await dialRaw(one), await dialRaw(one)];
    await until('a third one is turned away', () => {
      sockets.push(connect(one.transport.address.port, '127.0.0.1').on('error', () => undefined));
      return one.refusals('too_many') > 0;
    });
    for (const { socket } of strangers) socket.destroy();
    for (const socket of sockets) socket.destroy();
    const two = await start(2);
    two.transport.setPeers([one.peer()]);
    await until('a peer gets through', () => two.transport.connected(memberId(1)));
  });

  test('a proven peer that sends what is no frame, or not its to send, is cut off and counted', async () => {
    const injected: [Buffer, string][] = [
      [Buffer.alloc(64, 0xff), 'frame_too_large'],
      [Buffer.alloc(64), 'malformed'],
      [encodeFrame({ type: FrameType.answer, kind: 0, correlation: 1 }, Buffer.alloc(3)), 'unexpected_frame'],
      [encodeFrame({ type: 77, kind: 0, correlation: 1 }, Buffer.alloc(3)), 'unexpected_frame'],
    ];
    for (const [bytes, fault] of injected) {
      const one = await start(1);
      const two = await start(2);
      const proxy = await LinkProxy.open(one.transport.address);
      proxies.push(proxy);
      two.transport.setPeers([one.peer(proxy.port)]);
      await until('connected', () => two.transport.connected(memberId(1)));
      proxy.inject(bytes);
      await until(`node 1 notices ${fault}`, () => one.faults.some((reason) => reason === fault));
      expect(one.received).toEqual([]);
    }
  });
});
