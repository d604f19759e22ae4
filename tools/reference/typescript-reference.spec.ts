import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readPackage } from './declarations';
import { readTypeScript, typescriptReference } from './typescript-reference';

const ROOT = path.join(__dirname, '../..');
const DOCUMENT = path.join(ROOT, 'docs/reference/typescript.md');

/** The goal: the reference says what the package has, all of it. The method: make it again, and compare. */
describe('the reference of the TypeScript SDK', () => {
  const { declared, problems } = readTypeScript(path.join(ROOT, 'libs/client'));

  test('all that can be imported has a doc comment, and speaks of nothing that cannot', () => {
    expect(problems).toEqual([]);
  });

  test('is up to date (`npm run reference` writes it)', () => {
    const text = typescriptReference(declared);
    if (process.env['WRITE_REFERENCE'] === 'true') writeFileSync(DOCUMENT, text);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(text);
  });
});

test('what is missing is found', () => {
  const root = path.join(__dirname, 'testdata');
  const { declared, problems } = readPackage(root, [path.join(root, 'package.ts')], {
    types: [],
    noLib: true,
  });
  expect(problems).toEqual([
    'Thing.bare has no doc comment',
    'Thing speaks of Hidden, which is not exported',
    'Bare has no doc comment',
  ]);
  expect(declared[0]).toMatchObject({
    kind: 'class',
    code: 'class Thing<Value = string>',
    members: [
      { name: 'bare', code: 'bare: Hidden' },
      { name: 'size', code: 'get size(): number', doc: 'How many.' },
      {
        name: 'call',
        code: 'call(one: Value, options: { loud?: boolean; } = {}): void',
        doc: 'Calls `size`.',
      },
    ],
  });
});
