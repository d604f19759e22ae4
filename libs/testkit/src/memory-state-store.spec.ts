import type { GroupId } from '#contracts';
import { MemoryStateStores } from './memory-state-store';
import { describeStateStore } from './state-store-rules';

const GROUP = 1 as GroupId;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

let stores = new MemoryStateStores();
describeStateStore('the simulated twin', {
  create() {
    stores = new MemoryStateStores();
    return stores.open(GROUP);
  },
  async reopen(store) {
    await store.close();
    return stores.open(GROUP);
  },
});

describe('a crash of the simulated twin', () => {
  it('loses only unsynced batches, the last ones, and refuses the stores that were open', async () => {
    for (let kept = 0; kept <= 3; kept++) {
      const node = new MemoryStateStores();
      const store = await node.open(GROUP);
      store.write({ puts: [[bytes('synced'), bytes('0')]], deletes: [] });
      await store.flush();
      for (let count = 1; count <= 3; count++) {
        store.write({ puts: [[bytes('last'), bytes(String(count))]], deletes: [bytes('synced')] });
      }
      await node.crash({ below: (bound) => kept % bound });
      expect(() => store.get(bytes('last'))).toThrow(/closed/);
      const after = await node.open(GROUP);
      expect(after.get(bytes('last'))).toEqual(kept === 0 ? undefined : bytes(String(kept)));
      expect(after.get(bytes('synced'))).toEqual(kept === 0 ? bytes('0') : undefined);
    }
  });

  it('cannot be opened, or destroyed, while it is open, as a folder that is locked', async () => {
    const node = new MemoryStateStores();
    const store = await node.open(GROUP);
    await expect(node.open(GROUP)).rejects.toThrow(/open/);
    await expect(node.destroy(GROUP)).rejects.toThrow(/open/);
    await store.close();
    await (await node.open(GROUP)).close();
  });

  it('forgets a group that was destroyed', async () => {
    const node = new MemoryStateStores();
    const store = await node.open(GROUP);
    store.write({ puts: [[bytes('a'), bytes('1')]], deletes: [] });
    await store.close();
    await node.destroy(GROUP);
    expect((await node.open(GROUP)).get(bytes('a'))).toBeUndefined();
  });
});
