import { createHash } from 'node:crypto';
import { StateError, type NodeName } from '#contracts';
import { Formation, KnownUnderAnotherDisk, join, type ConfiguredNode, type Introductions } from './formation';
import { encodeBody, type JoinAnswer } from './cluster-bodies';
import type { NodeIdentity } from './identity';
import { PeerKind } from './peers/peer-kinds';
import type { Clock } from './ports';

/** Goal: one cluster comes out of a first boot, or none. Method: real formations that ask each other in memory. */

/** Time that passes as fast as the loop turns: waiting is waiting for the others. */
const CLOCK: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  soon: (task) => void setImmediate(task),
  after: (_, task) => {
    const turn = setImmediate(task);
    return () => clearImmediate(turn);
  },
};

const configured = (names: readonly string[], region = 'r'): readonly ConfiguredNode[] =>
  names.map((name) => ({ name: name as NodeName, host: name, port: 7400, region }));

class Boot {
  readonly progress: string[] = [];
  identity: NodeIdentity | undefined;
  stopped = false;
  readonly formation: Formation;

  constructor(
    private readonly world: Map<string, Boot>,
    readonly name: string,
    readonly incarnation: string,
    nodes: readonly ConfiguredNode[],
  ) {
    this.formation = new Formation({
      name: name as NodeName,
      incarnation,
      nodes,
      introductions: introductionsOf(world),
      clock: CLOCK,
      digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
      onProgress: (what) => this.progress.push(what),
      stopped: () => this.stopped,
    });
  }

  /** From now on it answers, and asks. */
  async start(): Promise<NodeIdentity> {
    this.world.set(this.name, this);
    return (this.identity = await this.formation.run());
  }
}

function introductionsOf(world: ReadonlyMap<string, Boot>): Introductions {
  return {
    ask: async (address, kind, body) => {
      expect(kind).toBe(PeerKind.form);
      await new Promise(setImmediate);
      const asked = world.get(address.host);
      if (asked === undefined) throw new StateError('no_leader', 'nobody is there');
      return asked.formation.answer(body, asked.identity);
    },
  };
}

const NAMES = ['n1', 'n2', 'n3'];

test('all that meet come to the same cluster, and members follow the order of the names', async () => {
  const world = new Map<string, Boot>();
  const boots = NAMES.map((name, at) => {
    // Each has the list in another order and reaches the others in its own way.
    const nodes = configured(at === 0 ? NAMES : [...NAMES].reverse());
    return new Boot(world, name, `disk-${name}`, nodes);
  });
  const identities = await Promise.all(boots.map((boot) => boot.start()));
  expect(new Set(identities.map(({ clusterId }) => clusterId)).size).toBe(1);
  expect(identities.map(({ member, founder, begun }) => [member, founder, begun])).toEqual([
    [1, true, false],
    [2, true, false],
    [3, true, false],
  ]);
  expect(identities[0]?.founders.map(({ name, incarnation }) => [name, incarnation])).toEqual(
    NAMES.map((name) => [name, `disk-${name}`]),
  );
});

test('nobody begins before all have met, and it is said whom it waits for, once', async () => {
  const world = new Map<string, Boot>();
  const [first, second, third] = NAMES.map(
    (name) => new Boot(world, name, `disk-${name}`, configured(NAMES)),
  );
  if (!first || !second || !third) throw new Error('three nodes');
  const early = Promise.all([first.start(), second.start()]);
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  expect([first.identity, second.identity]).toEqual([undefined, undefined]);
  expect(first.progress.at(-1)).toBe('waiting to meet n3');
  expect(new Set(first.progress).size).toBe(first.progress.length);
  const last = await third.start();
  expect((await early).map(({ clusterId }) => clusterId)).toEqual([last.clusterId, last.clusterId]);
});

test('a node that was slow takes over what the others have formed', async () => {
  const world = new Map<string, Boot>();
  const boots = NAMES.map((name) => new Boot(world, name, `disk-${name}`, configured(NAMES)));
  const [identity] = await Promise.all(boots.map((boot) => boot.start()));
  // Its process ended before it had kept its identity, but its incarnation is on its disk.
  const again = await new Boot(world, 'n3', 'disk-n3', configured(NAMES)).start();
  expect([again.clusterId, again.member]).toEqual([identity?.clusterId, 3]);
});

test('an emptied disk is refused: the cluster knows another one under its name', async () => {
  const world = new Map<string, Boot>();
  const boots = NAMES.map((name) => new Boot(world, name, `disk-${name}`, configured(NAMES)));
  await Promise.all(boots.map((boot) => boot.start()));
  await expect(new Boot(world, 'n3', 'another', configured(NAMES)).start()).rejects.toThrow(
    KnownUnderAnotherDisk,
  );
});

test('other disks make another cluster', async () => {
  const ids = new Set<string>();
  for (const disk of ['a', 'b']) {
    const world = new Map<string, Boot>();
    const boots = NAMES.map((name) => new Boot(world, name, `${disk}-${name}`, configured(NAMES)));
    for (const { clusterId } of await Promise.all(boots.map((boot) => boot.start()))) ids.add(clusterId);
  }
  expect(ids.size).toBe(2);
});

test.each([
  ['names', configured(['n1', 'n2', 'n4'])],
  ['regions', configured(NAMES, 'elsewhere')],
  ['numbers of nodes', configured(['n1', 'n2'])],
])('different %s are refused by name', async (_, others) => {
  const world = new Map<string, Boot>();
  const first = new Boot(world, 'n1', 'disk-n1', configured(NAMES));
  const second = new Boot(world, 'n2', 'disk-n2', others);
  const ends = await Promise.allSettled([first.start(), second.start()]);
  for (const end of ends) {
    expect(end).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });
    expect(String((end as PromiseRejectedResult).reason)).toMatch(
      /of n1 and of n2 differ|of n2 and of n1 differ/,
    );
  }
});

test('an address at which another node answers is refused', async () => {
  const world = new Map<string, Boot>();
  world.set('n2', new Boot(world, 'n3', 'disk-n3', configured(NAMES)));
  const first = new Boot(world, 'n1', 'disk-n1', configured(NAMES));
  await expect(first.start()).rejects.toThrow('n2 is at n2:7400, but n3 answers there');
});

test('a node that is told to stop gives up', async () => {
  const boot = new Boot(new Map(), 'n1', 'disk-n1', configured(NAMES));
  const running = boot.start();
  boot.stopped = true;
  await expect(running).rejects.toMatchObject({ code: 'draining' });
});

test('a later node asks one address after the other until it is let in', async () => {
  const asked: string[] = [];
  const told: string[] = [];
  const answer: JoinAnswer = { clusterId: 'c', member: 4 as never, peers: [] };
  const introductions: Introductions = {
    ask: (address, kind) => {
      asked.push(`${address.host} ${kind}`);
      return asked.length < 4
        ? Promise.reject(new StateError('no_leader', 'not now'))
        : Promise.resolve(encodeBody(answer));
    },
  };
  const question = { name: 'n4' as NodeName, incarnation: 'd', region: 'r', host: 'h', port: 1, httpUrl: '' };
  const addresses = ['a', 'b'].map((host) => ({ host, port: 1 }));
  const on = {
    introductions,
    clock: CLOCK,
    onProgress: (what: string) => told.push(what),
    stopped: () => false,
  };
  expect(await join(question, addresses, on)).toEqual({
    clusterId: 'c',
    member: 4,
    name: 'n4',
    incarnation: 'd',
    founders: [],
    founder: false,
    begun: true,
  });
  expect(asked).toEqual(['a', 'b', 'a', 'b'].map((host) => `${host} ${PeerKind.join}`));
  expect(told).toEqual(['a', 'b', 'a'].map((host) => `${host}:1 did not let this node in: not now`));
});
