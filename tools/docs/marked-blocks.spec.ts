import { markedBlocks, missingLine } from './marked-blocks';

describe('marked blocks', () => {
  test('commands come with their output, other blocks are left alone', () => {
    const text = [
      '# A',
      '```json',
      'no commands',
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
      '<!-- docs-test: not run: needs a Kubernetes -->',
      '```bash',
      'kubectl',
      '```',
      '<!-- docs-test: stop -->',
      'The node has to be stopped.',
    ].join('\n');
    expect(markedBlocks(text)).toEqual([
      { line: 8, kind: 'run', commands: 'echo 1\necho 2', output: ['1', '2'] },
      { line: 20, kind: 'background', commands: 'sleep', output: [] },
      { line: 24, kind: 'not run', commands: 'kubectl', output: [] },
      { line: 26, kind: 'stop', commands: '', output: [] },
    ]);
  });

  test.each([
    '<!-- docs-test: later -->\n```bash\n```',
    '<!-- docs-test: not run -->\n```bash\n```',
    '<!-- docs-test: not run: why -->\n```bash\n```\n<!-- docs-test: output -->\n```text\n1\n```',
    '<!-- docs-test: stop -->\n<!-- docs-test: output -->\n```text\n1\n```',
    '```bash\nunmarked\n```',
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
