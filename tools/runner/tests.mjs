import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { inRoot, ROOT } from './root.mjs';
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

/** So much of what a failed test said is told again at the end. */
const FAILURE_LINES = 25;

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
  const failures = [];
  try {
    for (const one of STEPS.filter(({ label }) => options.only?.includes(label) ?? true)) {
      const counts = one.jest ? await jestStep(one, folder) : await toolStep(one);
      for (const key of Object.keys(sum)) sum[key] += counts[key];
      failures.push(...counts.failures);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const leftOut = sum.leftOut === 0 ? '' : ` (${sum.leftOut} left out)`;
  if (leftOut !== '') console.log(`some tests were left out here: their output above says why${leftOut}`);
  // Once more at the end: a log of this length is often kept as its last part only.
  const again = failures.map((failure) => `${failure}\n`).join('');
  process.stdout.write(again);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  if (options.summary !== undefined) {
    writeFileSync(options.summary, `${sum.passed} ${sum.failed}\n${again}`);
  }
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
  if (code === 0) return { passed: 1, failed: 0, leftOut: 0, failures: [] };
  return { passed: 0, failed: 1, leftOut: 0, failures: [`FAIL ${label}`] };
}

async function jestStep({ label, jest }, folder) {
  const file = path.join(folder, `${label}.json`);
  const { code, output, took } = await step(label, process.execPath, [
    inRoot('node_modules/jest/bin/jest.js'),
    ...['--ci', '--json', `--outputFile=${file}`, ...jest],
  ]);
  const counts = countsOf(file);
  // Jest can fail without a failing test, for instance on a broken configuration or a suite that does not load.
  if (code !== 0 && counts.failed === 0) {
    counts.failed = 1;
    counts.failures.push(`FAIL ${label}: it ended with exit code ${code}`);
  }
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
      failures: result.testResults.flatMap(failuresOf),
    };
  } catch {
    return { passed: 0, failed: 1, leftOut: 0, failures: ['FAIL: no results were written'] };
  }
}

/** What failed in one file, by name and with the beginning of what it said. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = path.relative(ROOT, name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [failure(file, message)] : [];
  return failed.map((test) => failure(`${file} > ${test.fullName}`, test.failureMessages.join('\n')));
}

function failure(title, message) {
  const lines = stripVTControlCharacters(message).trimEnd().split('\n').slice(0, FAILURE_LINES);
  return [`FAIL ${title}`, ...lines.map((line) => `     ${line}`)].join('\n');
}

const indent = (output) => output.trimEnd().replace(/^/gm, '     ');
