/**
 * Goal: a node that finds its log shorter than its state says so as often as it is started, and holds on to nothing:
 * the process may move the folder aside and begin anew in its place. Method: the real node over a simulated disk whose
 * log is put back to what it was before the last write.
 */
import { LostEntries } from '#raft';
import { LoneNode, type NodeRun } from './lone-node';

const SEED = 20261127;

async function put({ node }: NodeRun, id: string): Promise<void> {
  const operation = { op: 'put', id, type: 'thing', bodyJson: '{}', tags: {}, parents: [] } as const;
  const command = { kind: 'write', ns: 'agent://test', operations: [operation] } as const;
  await node.engine.write(command, { timeoutMs: 60_000 });
}

test('a state that is ahead of its log is closed again when it is refused', async () => {
  const lone = new LoneNode(SEED, 1 << 20);
  const run = (await lone.drive(lone.boot()))!;
  await lone.drive(put(run, 'kept'));
  const [segment] = lone.disk.files().filter((file) => file.startsWith('wal/'));
  const before = lone.disk.contents(segment!).slice();
  await lone.drive(put(run, 'lost'));
  await lone.drive(run.node.engine.stop());
  lone.disk.place(segment!, before);

  await expect(lone.drive(lone.boot())).rejects.toThrow(LostEntries);
  await expect(lone.drive(lone.boot())).rejects.toThrow(LostEntries);
});
