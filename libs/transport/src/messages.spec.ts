import { CodecError } from '#codec';
import { StateError, memberId, type NodeName } from '#contracts';

import { LinkProxy } from '../testing/link-proxy';
import { SECRET, TestNode, startCluster, until } from '../testing/test-node';
import { openTransport } from './transport';

// Goal: what the port `Network` promises, between transports over real loopback sockets.

let nodes: TestNode[] = [];
let proxies: LinkProxy[] = [];

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.transport.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  nodes = [];
  proxies = [];
});

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof StateError ? error.code : error),
  );

/** Node 1 reaches node 2 through a proxy; node 3, if there is one, directly. */
async function startWithProxy(
  size: 2 | 3,
  options: Parameters<typeof TestNode.start>[1] = {},
): Promise<LinkProxy> {
  for (let member = 1; member <= size; member++) nodes.push(await TestNode.start(member, options));
  const [one, two, three] = nodes as [TestNode, TestNode, TestNode | undefined];
  const proxy = await LinkProxy.open(two.transport.address);
  proxies.push(proxy);
  one.transport.setPeers([two.peer(proxy.port), ...(three ? [three.peer()] : [])]);
  await until('node 1 is connected', () =>
    nodes.slice(1).every(({ member }) => one.transport.connected(memberId(member))),
  );
  return proxy;
}

describe('messages', () => {
  test('three nodes exchange messages, each pair in order', async () => {
    nodes = await startCluster(3);
    const rounds = 300;
    for (let round = 0; round < rounds; round++) {
      for (const node of nodes) {
        for (const other of nodes) {
          if (other === node) continue;
          const parts = [Buffer.from(`${round}`), Buffer.alloc(round % 5 === 0 ? 9_000 : 3, 0x20)];
          expect(node.transport.send(memberId(other.member), 5, parts)).toBe(true);
        }
      }
      if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('all arrived', () => nodes.every((node) => node.received.length === 2 * rounds));
    for (const node of nodes) {
      for (const other of nodes) {
        if (other === node) continue;
        const texts = node.received.filter(({ from }) => from === other.member).map(({ body }) => body);
        expect(texts.map((body) => Number(body.toString()))).toEqual([...Array(rounds).keys()]);
      }
    }
    expect(nodes.flatMap((node) => [...node.faults, ...node.drops, ...node.refused])).toEqual([]);
  });

  test('a message that its reader does not know costs the link, which comes back, and never the process', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    two.read = (kind) => {
      if (kind === 99) throw new CodecError('a message of a newer form');
    };
    one.transport.send(memberId(2), 99, [Buffer.from('newer')]);
    await until('node 2 has cut the link', () => two.faults.length > 0);
    expect(two.faults).toEqual(['malformed']);
    expect(two.logs.join()).toContain('a message of a newer form');
    // What is sent before node 1 has noticed is lost with the link, so it is sent until it arrives.
    await until('what is known arrives again', () => {
      one.transport.send(memberId(2), 7, [Buffer.from('known')]);
      return two.received.some(({ kind }) => kind === 7);
    });
  });

  test('the largest frame passes on both channels, a larger one is dropped and the link lives on', async () => {
    const frameBytes = 3_000_000;
    nodes = await startCluster(2, { limits: { frameBytes, queueBytes: 2 * frameBytes } });
    const [one, two] = nodes as [TestNode, TestNode];
    await until('bulk is up', () => one.transport.send(memberId(2), 1, [], 'bulk'));
    const body = Buffer.alloc(frameBytes, 'agentstate');
    for (const channel of ['messages', 'bulk'] as const) {
      expect(one.transport.send(memberId(2), 2, [body.subarray(0, 7), body.subarray(7)], channel)).toBe(true);
      expect(one.transport.send(memberId(2), 2, [body, Buffer.alloc(1)], channel)).toBe(false);
    }
    expect(
      await codeOf(
        one.transport.request(memberId(2), 2, Buffer.alloc(frameBytes + 1), { timeoutMs: 60_000 }),
      ),
    ).toBe('payload_too_large');
    await until('both arrived', () => two.received.filter(({ kind }) => kind === 2).length === 2);
    for (const { body: received, kind } of two.received)
      if (kind === 2) expect(received.equals(body)).toBe(true);
    const answer = await one.transport.request(memberId(2), 3, body, { timeoutMs: 60_000, channel: 'bulk' });
    expect(body.equals(answer)).toBe(true);
  });

  test('without a connection a message is dropped and counted, a request never left', async () => {
    nodes = [await TestNode.start(1)];
    const [one] = nodes as [TestNode];
    expect(one.transport.send(memberId(9), 1, [])).toBe(false);
    expect(await codeOf(one.transport.request(memberId(9), 1, Buffer.alloc(0), { timeoutMs: 60_000 }))).toBe(
      'no_leader',
    );
    expect(one.drops).toEqual(['not_connected', 'not_connected']);
    expect(() => one.transport.send(memberId(9), 65_536, [])).toThrow(RangeError);
  });

  test('a peer that stops reading fills its own queue only, and the queue stays bounded', async () => {
    const queueBytes = 400_000;
    const limits = { frameBytes: 100_000, queueBytes, silenceTimeoutMs: 60_000 };
    const proxy = await startWithProxy(3, { limits });
    const [one, two, three] = nodes as [TestNode, TestNode, TestNode];
    proxy.freeze();
    const body = Buffer.alloc(50_000, 'x');
    let accepted = 0;
    let reachedThree = 0;
    for (let refusedInARow = 0; refusedInARow < 50;) {
      if (one.transport.send(memberId(2), 1, [body])) {
        accepted++;
        refusedInARow = 0;
      } else refusedInARow++;
      if (one.transport.send(memberId(3), 1, [Buffer.from('still here')])) reachedThree++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(one.drops).toContain('full');
    expect(reachedThree).toBeGreaterThanOrEqual(accepted);
    await until('node 3 has all', () => three.received.length === reachedThree);
    expect(await codeOf(one.transport.request(memberId(2), 1, body, { timeoutMs: 60_000 }))).toBe(
      'no_leader',
    );
    proxy.thaw();
    await until('what was accepted arrived', () => two.received.length === accepted);
  });

  test('a link that breaks comes back, and messages flow again in order', async () => {
    const limits = { backoffMinMs: 1, backoffMaxMs: 5 };
    const proxy = await startWithProxy(2, { limits });
    const [one, two] = nodes as [TestNode, TestNode];
    for (let round = 1; round <= 3; round++) {
      proxy.cut();
      await until('the loss is noticed', () => !one.transport.connected(memberId(2)));
      expect(one.transport.send(memberId(2), 1, [])).toBe(false);
      proxy.restore();
      await until('the link is back', () => one.transport.connected(memberId(2)));
      one.transport.send(memberId(2), round, [Buffer.from('again')]);
      await until('it arrives', () => two.received.some(({ kind }) => kind === round));
    }
    const events = one.peerEvents.map(({ connected }) => connected);
    expect(events).toEqual([true, false, true, false, true, false, true]);
  });

  test('a peer that restarts at its address is found again', async () => {
    nodes = await startCluster(2, { limits: { backoffMinMs: 1, backoffMaxMs: 5 } });
    const [one, two] = nodes as [TestNode, TestNode];
    const { port } = two.transport.address;
    await two.transport.close();
    await until('the loss is noticed', () => !one.transport.connected(memberId(2)));
    const again = await TestNode.start(2, { listen: { host: '127.0.0.1', port } });
    nodes[1] = again;
    await until('node 2 is back', () => one.transport.connected(memberId(2)));
    expect(one.transport.send(memberId(2), 1, [Buffer.from('hello')])).toBe(true);
    await until('it arrives', () => again.received.length === 1);
  });

  test('what was queued before an orderly close still arrives', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    for (let count = 0; count < 200; count++) one.transport.send(memberId(2), 1, [Buffer.alloc(10_000)]);
    await one.transport.close();
    await until('all arrived', () => two.received.length === 200);
  });

  test('peers that are gone from the set are disconnected, both ways', async () => {
    nodes = await startCluster(3, { limits: { backoffMinMs: 60_000, backoffMaxMs: 60_000 } });
    const [one, two, three] = nodes as [TestNode, TestNode, TestNode];
    one.transport.setPeers([one.peer(), two.peer()]);
    expect(one.transport.connected(memberId(3))).toBe(false);
    expect(one.transport.connected(memberId(2))).toBe(true);
    await until('node 3 lost its link to node 1', () => !three.transport.connected(memberId(1)));
    expect(two.transport.connected(memberId(1))).toBe(true);
  });
});

describe('requests', () => {
  test('many at once are answered each with its own answer, whatever the order', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    const waiting: (() => void)[] = [];
    two.answer = (from, kind, body) =>
      new Promise((resolve) =>
        waiting.push(() => resolve(Buffer.from(`${from} ${kind} ${body.toString()}`))),
      );
    const answers = Promise.all(
      [...Array(100).keys()].map((number) =>
        one.transport.request(memberId(2), 7, Buffer.from(`${number}`), { timeoutMs: 60_000 }),
      ),
    );
    await until('all are asked', () => waiting.length === 100);
    for (const release of waiting.reverse()) release();
    expect((await answers).map((answer) => Buffer.from(answer).toString())).toEqual(
      [...Array(100).keys()].map((number) => `1 7 ${number}`),
    );
  });

  test('an error travels with code, detail and extras; any other error stays at home', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    const ask = (): Promise<unknown> =>
      one.transport
        .request(memberId(2), 1, Buffer.alloc(0), { timeoutMs: 60_000 })
        .catch((error: unknown) => error);
    two.answer = () => Promise.reject(new StateError('compacted', 'gone by now', { first_available: 12 }));
    const error = await ask();
    expect(error).toBeInstanceOf(StateError);
    expect(error).toMatchObject({
      code: 'compacted',
      message: 'gone by now',
      extras: { first_available: 12 },
    });
    two.answer = () => {
      throw new TypeError('/secret/path');
    };
    const internal = (await ask()) as StateError;
    expect(internal.code).toBe('internal');
    expect(internal.message).not.toContain('secret');
    expect(two.logs.join()).toContain('/secret/path');
    two.answer = () => Promise.resolve(Buffer.alloc(17_000_000));
    expect(await ask()).toMatchObject({ code: 'internal' });
  });

  test('a request that is not answered in time has an unknown outcome; its late answer is ignored', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    let release: (() => void) | undefined;
    two.answer = (_from, _kind, body) => new Promise((resolve) => (release = () => resolve(body)));
    const request = codeOf(one.transport.request(memberId(2), 1, Buffer.from('slow'), { timeoutMs: 20 }));
    expect(await request).toBe('timeout');
    await until('it was asked', () => release !== undefined);
    release?.();
    await until('the late answer arrives', () => one.lateAnswers === 1);
    two.answer = (_from, _kind, body) => Promise.resolve(body);
    expect(await one.transport.request(memberId(2), 1, Buffer.from('next'), { timeoutMs: 60_000 })).toEqual(
      Buffer.from('next'),
    );
  });

  test('when the link breaks, what may have left is a timeout and what has not left never did', async () => {
    const proxy = await startWithProxy(2, {
      limits: { frameBytes: 4_000_000, queueBytes: 30_000_000, silenceTimeoutMs: 60_000 },
    });
    const [one, two] = nodes as [TestNode, TestNode];
    two.answer = () => new Promise(() => undefined);
    const ask = (bytes: number): Promise<unknown> =>
      codeOf(one.transport.request(memberId(2), 1, Buffer.alloc(bytes), { timeoutMs: 600_000 }));
    const left = ask(10);
    // Handed to the kernel by now, as is the first of the large ones; the last ones wait behind it.
    await new Promise((resolve) => setImmediate(resolve));
    proxy.freeze();
    const large = [...Array(7).keys()].map(() => ask(4_000_000));
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    expect(await left).toBe('timeout');
    const outcomes = await Promise.all(large);
    expect(outcomes[0]).toBe('timeout');
    expect(outcomes[6]).toBe('no_leader');
  });

  test('a peer that answers too many at once says so', async () => {
    nodes = await startCluster(2, { limits: { inboundRequests: 3, inboundRequestBytes: 1_000 } });
    const [one, two] = nodes as [TestNode, TestNode];
    const waiting: (() => void)[] = [];
    two.answer = (_from, _kind, body) => new Promise((resolve) => waiting.push(() => resolve(body)));
    const ask = (bytes: number): Promise<unknown> =>
      codeOf(one.transport.request(memberId(2), 1, Buffer.alloc(bytes), { timeoutMs: 60_000 }));
    const first = [ask(400), ask(400)];
    expect(await ask(400)).toBe('overloaded');
    const third = ask(1);
    expect(await ask(1)).toBe('overloaded');
    for (const release of waiting) release();
    expect(await Promise.all([...first, third])).toEqual(['answered', 'answered', 'answered']);
    waiting.length = 0;
    const next = ask(900);
    await until('it is asked', () => waiting.length === 1);
    waiting[0]?.();
    expect(await next).toBe('answered');
  });

  test('closing rejects what is open, and nothing is left behind', async () => {
    nodes = await startCluster(2);
    const [one, two] = nodes as [TestNode, TestNode];
    two.answer = () => new Promise(() => undefined);
    const open = codeOf(one.transport.request(memberId(2), 1, Buffer.alloc(0), { timeoutMs: 600_000 }));
    await Promise.all([one.transport.close(), one.transport.close()]);
    expect(await open).toBe('timeout');
    expect(one.transport.send(memberId(2), 1, [])).toBe(false);
    await two.transport.close();
    const handles = (): string[] => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
    await until('all handles are gone', () => handles().length === 0);
  });
});

describe('options', () => {
  test('contradictions end the start', async () => {
    nodes = [await TestNode.start(1)];
    const identity = {
      clusterId: 'c',
      memberId: memberId(1),
      incarnation: '0'.repeat(32),
      name: 'node-1' as NodeName,
      region: 'local',
    };
    const listen = { host: '127.0.0.1', port: 0 };
    const admit = (): { ok: true } => ({ ok: true });
    await expect(openTransport({ listen, identity, admit, credentials: {} })).rejects.toThrow(
      'secret or TLS',
    );
    await expect(
      openTransport({
        listen,
        identity: { ...identity, incarnation: '' },
        admit,
        credentials: { secret: SECRET },
      }),
    ).rejects.toThrow('incarnation');
    const taken = nodes[0]?.transport.address as { host: string; port: number };
    await expect(
      openTransport({ listen: taken, identity, admit, credentials: { secret: SECRET } }),
    ).rejects.toThrow('EADDRINUSE');
  });
});
