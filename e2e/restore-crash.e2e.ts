import { seededRandom } from '#testkit';
import { CutOffRestores } from './launcher/cut-off-restore';
import { Scratch } from './launcher/scratch';

const SEED = Number(process.env['RESTORE_CRASH_SEED'] ?? 20261127);
/** Every operation has its turn in e2e/slow. */
const OPERATIONS = 16;
const MOMENTS = 8;

/**
 * The goal: a restore that dies leaves the old node or the restored one, which starts, with nothing that it had
 * acknowledged missing. The method: the real program, killed before operations of the disk and at random moments.
 */
describe('a restore that is killed', () => {
  const scratch = new Scratch();
  const random = seededRandom(SEED);
  let restores: CutOffRestores;
  beforeAll(async () => {
    restores = await CutOffRestores.prepare(scratch);
  });
  afterAll(() => scratch.clear());

  const named = async (what: string, outcome: Promise<'before' | 'after'>): Promise<'before' | 'after'> => {
    return outcome.catch((cause: unknown) => {
      throw new Error(`RESTORE_CRASH_SEED=${SEED}: killed ${what}: ${String(cause)}`, { cause });
    });
  };

  test(`before ${OPERATIONS} of its operations on the disk`, async () => {
    const seen: string[] = [];
    for (let round = 0; round < OPERATIONS; round++) {
      // One of each stretch, so that the beginning, the switch and the end are always met.
      const stretch = restores.operations / OPERATIONS;
      const at = Math.floor(round * stretch + random(Math.floor(stretch)));
      seen.push(await named(`before operation ${at} of ${restores.operations}`, restores.atOperation(at)));
    }
    // The old node up to one operation, the restored one from it on.
    expect(seen).toEqual(seen.toSorted().toReversed());
    expect(new Set(seen)).toEqual(new Set(['before', 'after']));
  });

  test(`at ${MOMENTS} random moments`, async () => {
    for (let round = 0; round < MOMENTS; round++) {
      const ms = random(Math.ceil(restores.wholeMs));
      await named(`after ${ms} ms`, restores.afterMs(ms));
    }
  });
});
