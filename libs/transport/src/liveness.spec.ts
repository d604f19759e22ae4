import { memberId } from '#contracts';

import { LinkProxy } from '../testing/link-proxy';
import { ManualClock } from '../testing/manual-clock';
import { TestNode, until } from '../testing/test-node';
import type { TransportOptions } from './options';

// Goal: a link that is dead without a word is noticed on both ends, and one that lives is never given up.
// Method: a relay that stops relaying, and clocks that move only when the test says so.

const INTERVAL_MS = 1_000;
const PATIENT = { silenceTimeoutMs: 600_000 };

let nodes: TestNode[] = [];
let proxy: LinkProxy;

async function startPair(
  one: Partial<TransportOptions>,
  two: Partial<TransportOptions>,
): Promise<[TestNode, TestNode]> {
  const pair: [TestNode, TestNode] = [await TestNode.start(1, one), await TestNode.start(2, two)];
  nodes = pair;
  proxy = await LinkProxy.open(pair[1].transport.address);
  pair[0].transport.setPeers([pair[1].peer(proxy.port)]);
  await until('connected', () => pair[0].transport.connected(memberId(2)));
  return pair;
}

/** Node 1 dials node 2 and stays away once it lost its links. */
async function startRestartable(): Promise<{ one: TestNode; two: TestNode }> {
  const away = { ...PATIENT, backoffMinMs: 600_000, backoffMaxMs: 600_000 };
  const [one, two] = await startPair({ limits: away }, { limits: PATIENT });
  return { one, two };
}

afterEach(async () => {
  await proxy.close();
  await Promise.all(nodes.map((node) => node.transport.close()));
});

describe('liveness', () => {
  test('pings measure the round trip and keep an idle link for ever', async () => {
    const clock = new ManualClock();
    const [one, two] = await startPair({ clock }, { limits: PATIENT });
    for (let pongs = 1; pongs <= 20; pongs++) {
      await until('the pong is back', () => one.roundTripsSeconds.length === pongs);
      clock.advance(INTERVAL_MS);
    }
    expect(one.roundTripsSeconds.length).toBeGreaterThanOrEqual(20);
    expect(one.roundTripsSeconds.every((seconds) => seconds >= 0 && seconds <= 2)).toBe(true);
    expect([one.faults, two.faults]).toEqual([[], []]);
    expect(one.peerEvents).toEqual([{ member: 2, connected: true }]);
  });

  test('the dialer notices that nothing comes back, and a request then has an unknown outcome', async () => {
    const clock = new ManualClock();
    const [one, two] = await startPair(
      { clock, limits: { pingIntervalMs: INTERVAL_MS, silenceTimeoutMs: 4 * INTERVAL_MS } },
      { limits: PATIENT },
    );
    two.answer = () => new Promise(() => undefined);
    await until('the first pong is back', () => one.roundTripsSeconds.length > 0);
    const request = one.transport.request(memberId(2), 1, Buffer.alloc(9), { timeoutMs: 1_000_000 });
    const outcome = request.catch((error: { code: string }) => error.code);
    await new Promise((resolve) => setImmediate(resolve));
    proxy.freeze();
    // The tick that still sees the last pong, and three silent ones: not yet.
    for (let tick = 0; tick < 4; tick++) clock.advance(INTERVAL_MS);
    expect(one.transport.connected(memberId(2))).toBe(true);
    clock.advance(INTERVAL_MS);
    expect(one.transport.connected(memberId(2))).toBe(false);
    expect(one.faults).toContain('silent');
    expect(await outcome).toBe('timeout');
    proxy.thaw();
    await until('the link is back', () => {
      clock.advance(100);
      return one.transport.connected(memberId(2));
    });
  });

  test('the acceptor notices it too and holds no connection for a peer that vanished', async () => {
    const clock = new ManualClock();
    const [, two] = await startPair({ limits: PATIENT }, { clock });
    proxy.freeze();
    await until('both connections are given up', () => {
      clock.advance(INTERVAL_MS);
      return two.faults.length === 2;
    });
    expect(two.faults).toEqual(['silent', 'silent']);
  });

  test('a peer that comes back before its old connection is noticed dead replaces it', async () => {
    const { one: first, two } = await startRestartable();
    proxy.freeze();
    const again = await TestNode.start(1);
    nodes.push(again);
    again.transport.setPeers([two.peer()]);
    await until('it is connected', () => again.transport.connected(memberId(2)));
    proxy.thaw();
    await until('the old connections end', () => first.peerEvents.some(({ connected }) => !connected));
    expect(again.transport.send(memberId(2), 1, [Buffer.from('from the new one')])).toBe(true);
    await until('it arrives', () => two.received.length === 1);
  });

  test('a process that was stopped does not take its own silence for its peers', async () => {
    const clock = new ManualClock();
    const [one] = await startPair({ clock }, { limits: PATIENT });
    await until('the first pong is back', () => one.roundTripsSeconds.length > 0);
    // One tick that comes an hour late is one tick.
    clock.jump(3_600_000);
    expect(one.faults).toEqual([]);
    expect(one.transport.connected(memberId(2))).toBe(true);
  });

  test('a peer that accepts but says nothing does not hold up the dialer for ever', async () => {
    const clock = new ManualClock();
    const [one] = await startPair({ clock }, { limits: PATIENT });
    proxy.freeze();
    proxy.cut();
    proxy.restore();
    await until('the loss is noticed', () => !one.transport.connected(memberId(2)));
    await until('the handshake times out', () => {
      clock.advance(500);
      return one.refusals('timeout') > 0;
    });
    proxy.thaw();
    await until('the link is back', () => {
      clock.advance(100);
      return one.transport.connected(memberId(2));
    });
  });

  test('retries are spread at random below a ceiling that doubles', async () => {
    const ceilings: number[] = [];
    const clock = new ManualClock();
    const limits = { backoffMinMs: 10, backoffMaxMs: 160 };
    const random = { below: (bound: number): number => (ceilings.push(bound), bound - 1) };
    const [one] = await startPair({ clock, limits, random }, { limits: PATIENT });
    await proxy.close();
    await until('enough retries', () => {
      clock.advance(10);
      return ceilings.length >= 16;
    });
    expect(one.transport.connected(memberId(2))).toBe(false);
    // Two links with the same backoff each.
    const distinct = [...new Set(ceilings)];
    expect(distinct).toEqual([10, 20, 40, 80, 160]);
    proxy = await LinkProxy.open({ host: '127.0.0.1', port: 1 });
  });
});
