import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

/** What a line of a file gives Node before the program. */
function flagsOf(file: string, line: RegExp): readonly string[] {
  const found = readFileSync(path.join(ROOT, file), 'utf8')
    .split('\n')
    .find((text) => line.test(text));
  if (found === undefined) throw new Error(`${file} has no line like ${line.source}`);
  return (found.split('bin/agentstate')[0] ?? '').match(/--[a-z][a-z-]*=[^\s",]+/g) ?? [];
}

/** Goal: a node behaves alike however it is started. Method: the flags of the program's first line, and of what else starts it. */
test.each([
  ['Dockerfile', /^ENTRYPOINT .*agentstate/],
  ['deploy/helm/templates/configmap.yaml', /exec node .*agentstate serve/],
])('%s gives Node the flags of bin/agentstate', (file, line) => {
  const flags = flagsOf('bin/agentstate', /^#!/);
  expect(flags).not.toEqual([]);
  expect(flagsOf(file, line)).toEqual(flags);
});
