/**
 * Goal: whatever is proposed, the state answers as the contract says and every replica comes to the same rows.
 * Method: random histories against the plain model, over a store in memory that loses its unsynced tail. The same
 * rules run over RocksDB, in libs/storage.
 */
import type { GroupId } from '#contracts';
import { describeStateMachine, MemoryStateStores } from '#testkit';

const GROUP = 3 as GroupId;
let stores: MemoryStateStores;

describeStateMachine(
  'a store in memory',
  {
    create: () => {
      stores = new MemoryStateStores();
      return stores.open(GROUP);
    },
    crash: async (_store, luck) => {
      await stores.crash({ below: (bound) => luck % bound });
      return stores.open(GROUP);
    },
  },
  { runs: 300 },
);
