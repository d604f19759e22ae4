import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLES } from './variables';

// The goal: operators find every variable. The method: the page of the documentation names them all.
test('every variable is documented', () => {
  const page = readFileSync(join(__dirname, '../../../../docs/operations/configuration.md'), 'utf8');
  expect(Object.keys(VARIABLES).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
