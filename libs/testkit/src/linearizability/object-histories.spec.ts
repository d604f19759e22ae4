import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkHistory } from './check-history';
import { objectModel } from './models/object-model';
import { readObjectHistory } from './readers/object-history';

/** Goal: each way in which a store can go wrong, and what only looks wrong, as a trace with its verdict in its name. */
const folder = join(__dirname, 'histories');

it.each(readdirSync(folder))('%s', (name) => {
  const known = /-(legal|illegal)\.txt$/.exec(name)?.[1];
  const result = checkHistory(objectModel, readObjectHistory(readFileSync(join(folder, name), 'utf8')));
  expect(result.verdict).toBe(known === 'legal' ? 'linearizable' : 'illegal');
});

it('reads back what the explanation prints', () => {
  const text = readFileSync(join(folder, 'refused-by-unknown-illegal.txt'), 'utf8');
  const result = checkHistory(objectModel, readObjectHistory(text));
  expect(result).toMatchObject({ verdict: 'illegal', partitionKey: 'task-1' });
  const { explanation } = result as { explanation: string };
  expect(explanation).toBe(
    [
      'task-1: not linearizable. 3 of 4 completed operations fit in this order:',
      '  1 2 client-1 put task-1 "a" => ok 1',
      '  3 - client-2 put task-1 "b" => unknown',
      '  4 5 client-1 put task-1 "c" if-match 1 => precondition_failed',
      '  6 7 client-1 put task-1 "c" if-match 5 => precondition_failed',
      'which leaves: "b", commit_seq 2 or later, not 5',
      'Before the answer at 9 one of these has to come next, and none fits:',
      '  8 9 client-1 get task-1 => "b" 5',
    ].join('\n'),
  );
  const operations = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of explanation.split('\n').filter((printed) => printed.startsWith('  ')))
    expect(operations).toContain(line.trim());
});

it.each([
  '1 2 client-1 get',
  '1 - client-1 get a => absent',
  '1 2 client-1 get a => "x"',
  '1 2 c put a "x" => yes',
])('refuses the line %s', (line) => {
  expect(() => readObjectHistory(line)).toThrow();
});
