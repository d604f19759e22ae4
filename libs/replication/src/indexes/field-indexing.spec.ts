/**
 * Goal: a leader proposes what brings indexes to their settings, and nothing that undoes what it has not heard of.
 * Method: real documents in a real meta state, which the directory may lag behind; a real state of the group.
 */
import { encodeCommand } from '#codec';
import { META_GROUP, groupId, type Command, type LogIndex, type Term } from '#contracts';
import { ApplyBatch, readApplied } from '#state-machine';
import { MemoryStateStore, sha256 } from '#testkit';
import { DEFAULT_GROUP } from '../default-group';
import { Directory } from '../meta/directory';
import { META_NAMESPACES, NO_SETTINGS, namespaceBody, type NamespaceDocument } from '../meta/documents';
import { Tenants } from '../tenants';
import { FieldIndexing, type IndexedReplica } from './field-indexing';

const NS = 'agent://indexed';

let meta: MemoryStateStore;
let store: MemoryStateStore;
let directory: Directory;
let tenants: Tenants;
let indexing: FieldIndexing;
let refreshes: number;
beforeEach(() => {
  meta = new MemoryStateStore();
  store = new MemoryStateStore();
  directory = new Directory();
  tenants = new Tenants(DEFAULT_GROUP, new Map());
  refreshes = 0;
  indexing = new FieldIndexing({
    directory,
    rowsPerStep: 128,
    refreshed: () => {
      refreshes += 1;
      directory.refresh(meta);
      return Promise.resolve();
    },
  });
});

function run(to: MemoryStateStore, command: Command): void {
  const batch = new ApplyBatch(to, sha256);
  const index = (readApplied(to).appliedIndex + 1) as LogIndex;
  expect(batch.apply(index, 1 as Term, encodeCommand(command, 1)).outcome.kind).toBe('done');
  to.write(batch.finish());
}

/** Writes a namespace's document, which the directory hears of when it is refreshed. */
function set(indexes: readonly string[], more: Partial<NamespaceDocument> = {}): void {
  const served = { ns: NS, dropped: false, group: DEFAULT_GROUP, generation: 0 };
  const document = {
    ...{ ...served, movingTo: undefined, erasing: [], scrubbing: [] },
    ...more,
    settings: { ...NO_SETTINGS, indexes },
  };
  const put = { op: 'put', id: NS, type: 'object', tags: {}, parents: [] } as const;
  const operations = [{ ...put, bodyJson: namespaceBody(document) }];
  run(meta, { kind: 'write', ns: META_NAMESPACES.namespaces, operations });
}

function fill(count: number): void {
  const operations = Array.from({ length: count }, (_, at) => {
    return { op: 'put', id: `o${at}`, type: 't', bodyJson: `{"a":${at}}`, tags: {}, parents: [] } as const;
  });
  run(store, { kind: 'write', ns: NS, operations });
}

const due = (more: Partial<IndexedReplica> = {}): Promise<Command | undefined> =>
  indexing.due({ group: DEFAULT_GROUP, knowsAll: true, store, tenants, ...more });

test('proposes what is missing, then step after step, then nothing', async () => {
  fill(300);
  set(['$.a']);
  directory.refresh(meta);
  const steps: string[] = [];
  for (let command = await due(); command !== undefined; command = await due()) {
    steps.push(command.kind);
    run(store, command);
  }
  expect(steps).toEqual(['indexes', 'build', 'build', 'build']);
  // Written otherwise it is the same place.
  set(["$['a']"]);
  directory.refresh(meta);
  expect(await due()).toBeUndefined();
  set([]);
  directory.refresh(meta);
  const removal = await due();
  expect(removal).toEqual({ kind: 'indexes', ns: NS, paths: [] });
});

test('does not take away what it has not heard of yet', async () => {
  set(['$.a']);
  run(store, { kind: 'indexes', ns: NS, paths: ['$.a'] });
  expect(directory.indexed.size).toBe(0);
  expect(await due()).toBeUndefined();
  expect(refreshes).toBe(1);
  expect(await due()).toBeUndefined();
  expect(refreshes).toBe(1);
});

test('leaves alone what it does not lead, what is on its way, and what is elsewhere', async () => {
  set(['$.a']);
  directory.refresh(meta);
  expect(await due({ knowsAll: false })).toBeUndefined();
  expect(await due({ group: META_GROUP })).toBeUndefined();
  expect(await due({ group: groupId(7), tenants: new Tenants(groupId(7), new Map()) })).toBeUndefined();
  tenants.announce(NS, 'frozen');
  expect(await due()).toBeUndefined();
  tenants.settled(NS);
  set(['$.a'], { movingTo: groupId(7) });
  directory.refresh(meta);
  expect(await due()).toBeUndefined();
  set(['$.a']);
  directory.refresh(meta);
  expect(await due()).toMatchObject({ kind: 'indexes' });
});
