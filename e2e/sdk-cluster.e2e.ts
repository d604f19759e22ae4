import { type ChangeEvent, Client, type Namespace } from '../libs/client/src/index';
import { Cluster } from './launcher/cluster';

const NS = 'agent://sdk';
const WRITERS = 4;
const WRITES = 40;
const KILLED_AT = Math.floor((WRITERS * WRITES) / 3);

/**
 * The goal: a program that uses the SDK does not notice that a node dies. The method: three nodes; while several
 * writers write and a watch follows, all at one node, that node is killed. When it is the leader, writes are cut that
 * may or may not have happened; when it is not, others happen while the watch is away.
 */
test.each(['leader', 'follower'])(
  'writes and a watch go on when the %s that they use is killed',
  async (role) => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      await cluster.ready();
      const leader = await cluster.leader();
      const killed = role === 'leader' ? leader : (cluster.others(leader)[0] ?? leader);
      const endpoints = [killed, ...cluster.others(killed)].map(({ url }) => url);
      const tasks = new Client({ endpoints, token: null, timeoutMs: 5_000 }).namespace<number>(NS);
      const stop = new AbortController();
      cluster.atEnd(() => stop.abort());
      const begun = await tasks.put({ id: 'begin', body: -1 });
      const following = follow(tasks, begun.commit_seq, stop.signal);
      let written = 0;
      let killing: Promise<void> | undefined;
      const writer = async (name: number): Promise<void> => {
        for (let n = 0; n < WRITES; n++) {
          // A write that happened twice would be refused the second time.
          await tasks.put({ id: `${name}-${n}`, body: n }, { ifNoneMatch: '*' });
          if (++written === KILLED_AT) killing = killed.kill();
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, name) => writer(name)));
      await killing;
      await tasks.put({ id: 'end', body: -1 });
      const events = await following;

      const stored = (await tasks.list().all()).filter(({ id }) => id !== 'begin');
      stored.sort((left, right) => left.commit_seq - right.commit_seq);
      expect(events.map(({ id, commit_seq }) => ({ id, commit_seq }))).toEqual(
        stored.map(({ id, commit_seq }) => ({ id, commit_seq })),
      );
      const ids = Array.from({ length: WRITERS * WRITES }, (_, at) => idOf(at));
      expect(events.map(({ id }) => id).sort()).toEqual([...ids, 'end'].sort());
      for (let name = 0; name < WRITERS; name++) {
        const own = events.filter(({ id }) => id.startsWith(`${name}-`));
        expect(own.map(({ body }) => body)).toEqual(Array.from({ length: WRITES }, (_, n) => n));
      }
    });
  },
  180_000,
);

const idOf = (at: number): string => `${Math.floor(at / WRITES)}-${at % WRITES}`;

/** The changes after a position, up to the one that ends the test. */
async function follow(
  tasks: Namespace<number>,
  after: number,
  signal: AbortSignal,
): Promise<ChangeEvent<number>[]> {
  const events: ChangeEvent<number>[] = [];
  for await (const event of tasks.watch({ after, signal })) {
    events.push(event);
    if (event.id === 'end') break;
  }
  return events;
}
