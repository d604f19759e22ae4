import { StateError, memberId, type NodeName } from '#contracts';
import { NO_PEERS, NO_SETTINGS, PeerKind, join, type Clock, type Network } from '#replication';
import { LoneNode, type NodeRun } from './lone-node';

const SEED = Number(process.env['LAST_OF_A_REGION_SEED'] ?? 1);
const SEGMENT_BYTES = 16_384;
const NS = 'agent://pinned';
const REGION_OF: Readonly<Record<string, string>> = { 'node-1': 'local', 'node-2': 'eu' };
/** In which the keeper of the cluster ends a removal, if nothing stands against it. */
const ENOUGH_MS = 3_000;
const LOOK_MS = 50;

/** Somebody answers the links to the second node, but no request: a process that hangs. */
const HANGING: Network = { ...NO_PEERS, connected: (member) => member === memberId(2) };

/** Asks again on the next turn. */
const IMPATIENT: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  after: (_, task) => {
    const turn = setImmediate(task);
    return () => clearImmediate(turn);
  },
  soon: (task) => void setImmediate(task),
};

/** A cluster of a real node and one that hangs, each alone in its region. */
async function twoRegions(): Promise<Cluster> {
  const host = new LoneNode(SEED, SEGMENT_BYTES, { network: HANGING });
  const run = await host.drive(host.boot());
  if (run === undefined) throw new Error('the node did not start');
  const [name, region] = ['node-2' as NodeName, 'eu'];
  const newcomer = { name, region, host: 'h', port: 2, incarnation: 'other', httpUrl: '' };
  const ask = (_: unknown, __: number, body: Uint8Array): Promise<Uint8Array> =>
    run.node.answerStranger(PeerKind.join, body);
  await host.drive(
    join(newcomer, [{ host: 'h', port: 1 }], {
      clock: IMPATIENT,
      introductions: { ask },
      onProgress: () => undefined,
      stopped: () => false,
    }),
  );
  return { host, run };
}

/** `code` of what refused it; `undefined` when it was done. */
const outcomeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof StateError) return error.code;
      throw error;
    },
  );

interface Cluster {
  readonly host: LoneNode;
  readonly run: NodeRun;
}

type Request = (cluster: Cluster) => Promise<string | undefined>;

function pinning(region: string): Request {
  return async ({ host, run: { node } }) => {
    let isOver = false;
    const settings = { ...NO_SETTINGS, regions: [region] };
    const set = outcomeOf(node.engine.namespaces.set(NS, settings)).finally(() => (isOver = true));
    // Where nobody answers the move never ends: it is written, and that is enough.
    const written = new Promise<undefined>((resolve) => {
      const look = (): void => {
        if (node.directory.namespaces.has(NS)) resolve(undefined);
        else if (!isOver && host.isUp) setImmediate(look);
      };
      look();
    });
    return Promise.race([set, written]);
  };
}

const removing =
  (name: string): Request =>
  ({ run }) =>
    outcomeOf(run.node.admin.removeNode(name));

/** Begins one request so many operations of the disk after the other; gives both outcomes, and whether it had ended. */
async function beginTogether(
  cluster: Cluster,
  [first, second]: readonly [Request, Request],
  later: number,
): Promise<{ readonly outcomes: readonly (string | undefined)[]; readonly isOver: boolean }> {
  let isOver = false;
  const { host } = cluster;
  const one = first(cluster).finally(() => (isOver = true));
  await host.drive(one, host.disk.history.length + later);
  const wasOver = isOver;
  const outcomes = await host.drive(Promise.all([one, second(cluster)]));
  return { outcomes: outcomes ?? [], isOver: wasOver };
}

/** Lets the cluster go on for a while. */
async function goOn(host: LoneNode): Promise<void> {
  for (let passedMs = 0; passedMs < ENOUGH_MS; passedMs += LOOK_MS) {
    host.passTime(LOOK_MS);
    await host.drive(new Promise((resolve) => setImmediate(resolve)));
  }
}

/**
 * Goal: whoever removes the last node of a region and whoever pins a namespace there at the same time never both
 * succeed, and a removal that was refused leaves the node in its place. Method: a real node, on which one of the two
 * begins after every operation on the disk that the other causes.
 */
test.each(Object.entries(REGION_OF))(
  '%s is removed while something is pinned to %s',
  async (name, region) => {
    const requests = [pinning(region), removing(name)] as const;
    const seen = new Set<string>();
    for (const order of [requests, [requests[1], requests[0]] as const]) {
      for (let later = 0, isOver = false; !isOver; later++) {
        const cluster = await twoRegions();
        const { node } = cluster.run;
        const begun = await beginTogether(cluster, order, later);
        ({ isOver } = begun);
        await goOn(cluster.host);
        await cluster.host.crash(false);
        const [pinned, removed] = order === requests ? begun.outcomes : begun.outcomes.toReversed();
        const document = node.directory.namespaces.get(NS);
        const state = [...node.directory.nodes.values()].find((one) => one.name === name)?.state;
        const at = `seed ${SEED}, ${order === requests ? 'pinned' : 'removed'} first, ${later} operations between`;
        const facts = { at, pinned, isPinned: document !== undefined, removed, isThere: state === 'active' };
        expect(facts).toEqual({
          at,
          pinned: facts.isPinned ? undefined : (expect.any(String) as string),
          isPinned: removed === 'conflict',
          removed: facts.isPinned ? 'conflict' : undefined,
          isThere: removed === 'conflict',
        });
        seen.add(`${pinned} ${removed}`);
      }
    }
    expect([...seen].sort()).toEqual(['invalid_request undefined', 'undefined conflict']);
  },
);
