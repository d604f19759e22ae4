import { join } from 'node:path';
import { dataDrivenFiles, runDataDrivenFile } from '#testkit';
import { Interaction } from '../testing/interaction';

/**
 * Goal: the protocol, step by step, in a form that can be read and argued about. Method: members moved by hand
 * through the text traces in libs/raft/testdata; `REWRITE=1` writes their answers anew.
 */
describe('traces', () => {
  it.each(dataDrivenFiles(join(__dirname, '../testdata')))('$name', ({ path }) => {
    const interaction = new Interaction();
    const { expected, actual } = runDataDrivenFile(path, (testCase) => interaction.run(testCase), {
      mayRewrite: true,
    });
    expect(actual).toBe(expected);
  });
});
