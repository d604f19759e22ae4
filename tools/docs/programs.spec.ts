import { programsOf } from './programs';

test('programs come with what they print, other blocks are left alone', () => {
  const text = [
    '```typescript',
    'class Thing',
    '```',
    '```ts',
    '// Says one.',
    "console.log('one');",
    '// one',
    '//  two …',
    '```',
    'text',
    '```python',
    'print(1)',
    '```',
  ].join('\n');
  expect(programsOf(text)).toEqual([
    {
      line: 5,
      language: 'ts',
      code: "// Says one.\nconsole.log('one');\n// one\n//  two …",
      output: ['one', ' two …'],
    },
    { line: 12, language: 'python', code: 'print(1)', output: [] },
  ]);
  expect(() => programsOf('```ts\n1')).toThrow('line 1');
});
