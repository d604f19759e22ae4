import { Client } from './launcher/client';
import { Connections } from './launcher/connections';
import { CrashWriters } from './launcher/crash-writers';
import { Scratch } from './launcher/scratch';
import type { Watcher } from './launcher/watcher';

const ROUNDS = 10;
const CONNECTIONS = 64;
/** Acknowledged writes before the kill: more in each round, so that kills meet the log at different places. */
const writesBeforeKill = (round: number): number => 150 + 97 * round;

/**
 * The goal: what was promised survives a power cut of the process, and a watcher that resumes misses nothing.
 * The method: kill a real server under load again and again, and compare with what its clients were told.
 */
describe('SIGKILL under load', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test(`${ROUNDS} rounds lose no acknowledged write and no change`, async () => {
    const ns = 'agent://crash';
    const writers = new CrashWriters(`/v1/${encodeURIComponent(ns)}/objects`, CONNECTIONS);
    const dataDir = await scratch.folder();
    let server = await scratch.start({ dataDir });
    const environment = { HTTP_PORT: `${server.httpPort}` };
    const watcher = scratch.watch(new Client(server.url, ns), '?from_commit=1');

    for (let round = 0; round < ROUNDS; round++) {
      await watcher.until(`connection ${round + 1}`, () => watcher.connections > round);
      const connections = new Connections(server.httpPort, CONNECTIONS);
      const target = writers.acknowledged.length + writesBeforeKill(round);
      let killed: Promise<void> | undefined;
      await writers.write(connections, () => {
        if (writers.acknowledged.length >= target) killed ??= server.kill();
      });
      connections.close();
      // Without our kill the writers only stop because the server failed them.
      if (killed === undefined) throw new Error(`round ${round}: the server broke off:\n${server.output}`);
      await killed;
      server = await scratch.start({ dataDir, environment });
      const readers = new Connections(server.httpPort, CONNECTIONS);
      expect({ round, wrong: await writers.check(readers) }).toEqual({ round, wrong: [] });
      readers.close();
    }

    const last = await new Client(server.url, ns).put('end', {});
    await watcher.until('the last write', () => watcher.changes.at(-1)?.commit_seq === last.body.commit_seq);
    compare(watcher, writers);
  });
});

function compare(watcher: Watcher, writers: CrashWriters): void {
  const seen = watcher.changes.slice(0, -1).map(({ id, commit_seq: commitSeq, object }) => ({
    id: id ?? '',
    count: (object?.body as { count: number }).count,
    commitSeq: commitSeq ?? 0,
  }));
  const outOfOrder = seen.filter(({ commitSeq }, index) => commitSeq <= (seen[index - 1]?.commitSeq ?? 0));
  expect(outOfOrder).toEqual([]);

  const atPosition = new Map(seen.map((change) => [change.commitSeq, change]));
  const missed = writers.acknowledged.filter(({ id, count, commitSeq }) => {
    const change = atPosition.get(commitSeq);
    return change?.id !== id || change.count !== count;
  });
  expect(missed).toEqual([]);
  // What else was seen was on its way when the server died, and happened all the same.
  expect(seen.filter(({ id, count }) => !writers.wasSent(id, count))).toEqual([]);
}
