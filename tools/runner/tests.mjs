import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot } from './root.mjs';
import { report, step } from './step.mjs';

/** Steps in the order that finds the cheap mistakes first. A jest step counts its tests, another counts as one. */
const STEPS = [
  { label: 'format', tool: 'prettier/bin/prettier.cjs', args: ['--check', '.'] },
  { label: 'lint', tool: 'eslint/bin/eslint.js', args: ['.', '--max-warnings=0'] },
  { label: 'types', tool: 'typescript/bin/tsc', args: ['-p', 'tsconfig.json', '--noEmit'] },
  { label: 'unit', jest: [] },
  { label: 'e2e', jest: ['--config=jest.e2e.config.cjs', '--roots=<rootDir>/e2e', '--runInBand'] },
  { label: 'docs', jest: ['--config=jest.e2e.config.cjs', '--roots=<rootDir>/tools/docs', '--runInBand'] },
];

const USAGE = `usage: npm test -- [--only step,step] [--summary file]
steps: ${STEPS.map(({ label }) => label).join(', ')}
`;

/** Runs the steps, all of them even when one fails, and prints the sum. Resolves to the exit code. */
export async function runTests(args) {
  const options = parse(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'agentstate-test-'));
  const sum = { passed: 0, failed: 0, leftOut: 0 };
  try {
    for (const one of STEPS.filter(({ label }) => options.only?.includes(label) ?? true)) {
      const counts = one.jest ? await jestStep(one, folder) : await toolStep(one);
      for (const key of Object.keys(sum)) sum[key] += counts[key];
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const leftOut = sum.leftOut === 0 ? '' : ` (${sum.leftOut} left out)`;
  if (leftOut !== '') console.log(`some tests were left out here: their output above says why${leftOut}`);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  if (options.summary !== undefined) writeFileSync(options.summary, `${sum.passed} ${sum.failed}\n`);
  return sum.failed === 0 ? 0 : 1;
}

function parse(args) {
  const options = {};
  for (let index = 0; index < args.length; index += 2) {
    const value = args[index + 1];
    if (value === undefined) return undefined;
    if (args[index] === '--summary') options.summary = path.resolve(value);
    else if (args[index] === '--only') options.only = value.split(',');
    else return undefined;
  }
  const known = (options.only ?? []).every((name) => STEPS.some(({ label }) => label === name));
  return known ? options : undefined;
}

async function toolStep({ label, tool, args }) {
  const { code, output, took } = await step(label, process.execPath, [inRoot('node_modules', tool), ...args]);
  report(label, code === 0, took);
  if (code !== 0) console.log(indent(output));
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, leftOut: 0 };
}

async function jestStep({ label, jest }, folder) {
  const file = path.join(folder, `${label}.json`);
  const { code, output, took } = await step(label, process.execPath, [
    inRoot('node_modules/jest/bin/jest.js'),
    ...['--ci', '--json', `--outputFile=${file}`, ...jest],
  ]);
  const counts = countsOf(file);
  // Jest can fail without a failing test, for instance on a broken configuration or a suite that does not load.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  const failed = counts.failed === 0 ? '' : `, ${counts.failed} failed`;
  const leftOut = counts.leftOut === 0 ? '' : `, ${counts.leftOut} left out`;
  report(label, counts.failed === 0, took, `${counts.passed} passed${failed}${leftOut}`);
  if (counts.failed > 0 || counts.leftOut > 0) console.log(indent(output));
  return counts;
}

/** A suite that could not run has no failing test of its own, and counts as one. */
function countsOf(file) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      leftOut: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, leftOut: 0 };
  }
}

const indent = (output) => output.trimEnd().replace(/^/gm, '     ');
