import { markedBlocks, missingLine } from './marked-blocks';

describe('marked blocks', () => {
  test('commands come with their output, unmarked blocks are left alone', () => {
    const text = [
      '# A',
      '```bash',
      'untested',
      '```',
      '<!-- docs-test -->',
      '',
      '```bash',
      'echo 1',
      'echo 2',
      '```',
      'It prints',
      '<!-- docs-test: output -->',
      '```text',
      '1',
      '',
      '2',
      '```',
      '<!-- docs-test: background -->',
      '```bash',
      'sleep',
      '```',
    ].join('\n');
    expect(markedBlocks(text)).toEqual([
      { line: 8, background: false, commands: 'echo 1\necho 2', output: ['1', '2'] },
      { line: 20, background: true, commands: 'sleep', output: [] },
    ]);
  });

  test.each([
    '<!-- docs-test: later -->\n```bash\n```',
    '<!-- docs-test -->\n```text\n```',
    '<!-- docs-test -->\ntext',
    '<!-- docs-test -->\n```bash\nnever ended',
    '<!-- docs-test: output -->\n```text\n1\n```',
    ' <!-- docs-test -->\n```bash\n```',
  ])('%j is refused', (text) => {
    expect(() => markedBlocks(text)).toThrow(/line \d/);
  });
});

test.each([
  [['a', 'c'], 'a\nb\nc', undefined],
  [['c', 'a'], 'a\nb\nc', 'a'],
  [['a', 'a'], 'a\nb', 'a'],
  [['{"id":…,"x":1}'], '{"id":"é","x":1}', undefined],
  [['{"id":…,"x":1}'], '{"id":"é","x":2}', '{"id":…,"x":1}'],
  [['a.c'], 'abc', 'a.c'],
  [['a'], 'ab', 'a'],
])('%j in %j: missing is %j', (expected, output, missing) => {
  expect(missingLine(expected, output)).toBe(missing);
});
