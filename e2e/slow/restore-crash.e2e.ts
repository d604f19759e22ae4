import { CutOffRestores } from '../launcher/cut-off-restore';
import { Scratch } from '../launcher/scratch';

const AT_A_TIME = 2;
const DEADLINE_MS = 1_200_000;

/**
 * The goal: wherever a restore dies, the node starts, as the old one or as the restored one. The method: the real
 * program, killed before each of its operations on the disk.
 */
describe('a restore that is killed', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test(
    'before every operation on the disk',
    async () => {
      const restores = await CutOffRestores.prepare(scratch);
      const seen: string[] = [];
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let at = next++; at < restores.operations; at = next++) {
          seen[at] = await restores.atOperation(at).catch((cause: unknown) => {
            throw new Error(`killed before operation ${at} of ${restores.operations}`, { cause });
          });
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
      // The old node up to one operation, the restored one from it on.
      expect(seen).toEqual(seen.toSorted().toReversed());
      expect(new Set(seen)).toEqual(new Set(['before', 'after']));
    },
    DEADLINE_MS,
  );
});
