import { parseDataDriven, runDataDriven } from './datadriven';

/** Goal: the reader of text cases reads what is written. Method: a text with every form in it. */

const TEXT = `# A comment.
add cfg=(1, 2,3) idx=(_,5) flag name=x
first line
second line
----
answer

empty
----

blocks
----
----
one

two
----
----
`;

describe('text cases', () => {
  it('reads commands, arguments, input and answers', () => {
    expect(parseDataDriven(TEXT)).toEqual([
      {
        line: 2,
        command: 'add',
        arguments: [
          { key: 'cfg', values: ['1', '2', '3'] },
          { key: 'idx', values: ['_', '5'] },
          { key: 'flag', values: [] },
          { key: 'name', values: ['x'] },
        ],
        input: 'first line\nsecond line',
        expected: 'answer',
      },
      { line: 8, command: 'empty', arguments: [], input: '', expected: '' },
      { line: 11, command: 'blocks', arguments: [], input: '', expected: 'one\n\ntwo' },
    ]);
  });

  it('answers the same text when every answer is the expected one', () => {
    expect(runDataDriven(TEXT, (testCase) => testCase.expected)).toBe(TEXT);
  });

  it('puts another answer in the place of the expected one', () => {
    const changed = runDataDriven(TEXT, (testCase) =>
      testCase.command === 'add' ? 'other' : testCase.expected,
    );
    expect(changed).toBe(TEXT.replace('answer', 'other'));
  });

  it('refuses a command without an answer', () => {
    expect(() => parseDataDriven('vote\n')).toThrow('line 1: no ----');
  });
});
