import { NO_MEMBER, StateError, memberId, type NodeName } from '#contracts';

import { CLUSTER, SECRET, TestNode, incarnationOf, until } from '../testing/test-node';
import { LinkProxy } from '../testing/link-proxy';
import { ManualClock } from '../testing/manual-clock';
import type { PeerHello, TransportOptions } from './options';

// Goal: a node that knows the secret and nothing else can ask to join, and can do nothing else.

const JOIN = 40;
const joinKinds = new Set([JOIN]);

let nodes: TestNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.transport.close()));
  nodes = [];
});

async function start(member: number, options: Partial<TransportOptions> = {}): Promise<TestNode> {
  const node = await TestNode.start(member, { limits: { backoffMinMs: 1, backoffMaxMs: 5 }, ...options });
  nodes.push(node);
  return node;
}

const ask = (node: TestNode, other: TestNode, kind: number, timeoutMs = 60_000): Promise<unknown> =>
  node.transport
    .requestAddress(other.transport.address, kind, Buffer.from('let me in'), { timeoutMs })
    .catch((error: unknown) => (error instanceof StateError ? error.code : error));

describe('joining', () => {
  test('a node without an id asks; both learn who the other is; then it is a member', async () => {
    const asked: { hello: PeerHello; body: string }[] = [];
    const onJoinRequest: TransportOptions['onJoinRequest'] = (hello, _kind, body) => {
      asked.push({ hello, body: Buffer.from(body).toString() });
      return Promise.resolve(Buffer.from('you are 2'));
    };
    const one = await start(1, { joinKinds, onJoinRequest });
    const joiner = await start(0);
    const { address } = one.transport;
    const answer = await joiner.transport.requestAddress(address, JOIN, Buffer.from('let me in'), {
      timeoutMs: 60_000,
    });
    expect(Buffer.from(answer.body).toString()).toBe('you are 2');
    expect(answer.peer).toMatchObject({ memberId: 1, clusterId: CLUSTER, incarnation: incarnationOf(1_001) });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      body: 'let me in',
      hello: { memberId: 0, incarnation: incarnationOf(1_000) },
    });

    joiner.transport.setIdentity({
      clusterId: CLUSTER,
      memberId: memberId(2),
      incarnation: incarnationOf(1_000),
      name: 'node-2' as NodeName,
      region: 'local',
    });
    joiner.transport.setPeers([one.peer()]);
    await until('connected', () => joiner.transport.connected(memberId(1)));
    joiner.transport.send(memberId(1), 3, [Buffer.from('as a member')]);
    await until('it arrives', () => one.received.length === 1);
    expect(one.received[0]?.from).toBe(2);
  });

  test('it may ask nothing else, on any node that was not told to let it', async () => {
    const one = await start(1, { joinKinds, onJoinRequest: () => Promise.resolve(Buffer.alloc(0)) });
    const two = await start(2);
    let asked = false;
    one.answer = two.answer = () => ((asked = true), Promise.resolve(Buffer.alloc(0)));
    const joiner = await start(0);
    expect(await ask(joiner, one, JOIN + 1)).toBe('operation_denied');
    expect(await ask(joiner, two, JOIN)).toBe('operation_denied');
    expect(asked).toBe(false);
  });

  test('it gets no peer link, neither as dialer nor as acceptor', async () => {
    const one = await start(1);
    const joiner = await start(0);
    joiner.transport.setPeers([one.peer()]);
    one.transport.setPeers([{ ...joiner.peer(), member: memberId(2) }]);
    await until(
      'it is refused',
      () => one.refusals('unknown_member') >= 2 && joiner.refusals('unknown_member') >= 2,
    );
    expect(joiner.transport.connected(memberId(1)) || one.transport.connected(memberId(2))).toBe(false);
  });

  test('one that was a member may ask too, and gets no link and nothing else', async () => {
    const onJoinRequest: TransportOptions['onJoinRequest'] = (hello) =>
      Promise.resolve(Buffer.from(`you were ${hello.memberId}`));
    const admit: TransportOptions['admit'] = ({ memberId: member }) => ({ ok: true, former: member === 2 });
    const one = await start(1, { joinKinds, onJoinRequest, admit });
    let asked = false;
    one.answer = () => ((asked = true), Promise.resolve(Buffer.alloc(0)));
    const former = await start(2);
    const answer = await former.transport.requestAddress(
      one.transport.address,
      JOIN,
      Buffer.from('what am I'),
      {
        timeoutMs: 60_000,
      },
    );
    expect(Buffer.from(answer.body).toString()).toBe('you were 2');
    expect(await ask(former, one, JOIN + 1)).toBe('operation_denied');
    former.transport.setPeers([one.peer()]);
    one.transport.setPeers([former.peer()]);
    await until('it is refused', () => one.refusals('unknown_member') >= 2);
    expect(former.transport.connected(memberId(1)) || one.transport.connected(memberId(2))).toBe(false);
    expect(asked).toBe(false);
  });

  test('without the secret it may not even ask', async () => {
    const one = await start(1, { joinKinds, onJoinRequest: () => Promise.resolve(Buffer.alloc(0)) });
    const stranger = await start(0, { credentials: { secret: 'guess' } });
    expect(await ask(stranger, one, JOIN)).toBe('no_leader');
    expect(one.refusals('secret')).toBe(1);
  });

  test('forming nodes exchange incarnations before any of them has an id', async () => {
    const seen = new Map<string, string>();
    const forming = await Promise.all(
      [1, 2, 3].map((number) =>
        start(NO_MEMBER, {
          joinKinds,
          identity: {
            clusterId: undefined,
            memberId: NO_MEMBER,
            incarnation: incarnationOf(number),
            name: `node-${number}` as NodeName,
            region: 'local',
          },
          onJoinRequest: (hello) => {
            seen.set(hello.name, hello.incarnation);
            return Promise.resolve(Buffer.alloc(0));
          },
        }),
      ),
    );
    for (const node of forming) for (const other of forming) if (node !== other) await ask(node, other, JOIN);
    expect([...seen].sort()).toEqual([1, 2, 3].map((number) => [`node-${number}`, incarnationOf(number)]));
  });

  test('members may use an address as well, and are answered as members', async () => {
    const one = await start(1);
    const two = await start(2);
    one.answer = (from, kind) => Promise.resolve(Buffer.from(`${from} ${kind}`));
    const { body } = await two.transport.requestAddress(one.transport.address, 9, Buffer.alloc(0), {
      timeoutMs: 60_000,
    });
    expect(Buffer.from(body).toString()).toBe('2 9');
  });

  test('an address where nobody listens, and one where nobody answers', async () => {
    const clock = new ManualClock();
    const joiner = await start(0, { clock });
    const gone = await TestNode.start(1);
    await gone.transport.close();
    const nobody = await LinkProxy.open({ host: '127.0.0.1', port: 1 });
    nobody.freeze();
    const address = { host: '127.0.0.1', port: nobody.port };
    const silent = joiner.transport.requestAddress(address, JOIN, Buffer.alloc(0), { timeoutMs: 3_000 });
    clock.advance(3_000);
    await expect(silent).rejects.toMatchObject({ code: 'no_leader' });
    await nobody.close();

    const one = await start(1, { joinKinds, onJoinRequest: () => new Promise(() => undefined) });
    const asked = ask(joiner, one, JOIN, 3_000);
    const settled = watchSettled(asked);
    await until('its time is over', () => {
      clock.advance(100);
      return settled.done;
    });
    expect(['timeout', 'no_leader']).toContain(await asked);
  });

  test('closing gives up what is being asked', async () => {
    const one = await start(1, { joinKinds, onJoinRequest: () => new Promise(() => undefined) });
    const joiner = await start(0);
    const asked = ask(joiner, one, JOIN);
    const dialing = ask(joiner, one, JOIN);
    await joiner.transport.close();
    expect(await asked).toBe('no_leader');
    expect(await dialing).toBe('no_leader');
    expect(await ask(joiner, one, JOIN)).toBe('no_leader');
  });

  test('the number of open questions is bounded', async () => {
    const one = await start(1, {
      joinKinds,
      onJoinRequest: () => new Promise(() => undefined),
      limits: { singleConnections: 2 },
      credentials: { secret: SECRET },
    });
    const joiner = await start(0);
    const open = [ask(joiner, one, JOIN), ask(joiner, one, JOIN), ask(joiner, one, JOIN)];
    await until('one is turned away', () => one.refusals('too_many') === 1);
    await joiner.transport.close();
    await Promise.all(open);
  });
});

function watchSettled(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false };
  void promise.finally(() => (state.done = true));
  return state;
}
