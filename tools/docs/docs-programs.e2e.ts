import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { Scratch } from '../../e2e/launcher/scratch';
import { until } from '../../e2e/launcher/until';
import { missingLine } from './marked-blocks';
import { type DocumentedProgram, programsOf } from './programs';

const run = promisify(execFile);
const ROOT = path.join(__dirname, '../..');
const CLIENT = path.join(ROOT, 'libs/client');
const PYTHON = path.join(ROOT, 'sdks/python/.venv/bin/python');
const hasPython = spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0;

/** The goal: every program in the documents does what it says. The method: run each as it stands, on a new node. */
describe('programs in documents', () => {
  const scratch = new Scratch();
  const running: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await scratch.clear();
  });

  test('TypeScript', async () => {
    await run(process.execPath, [path.join(CLIENT, 'build.mjs')]);
    const programs = await documented('ts');
    expect(programs.map(({ document }) => document)).toEqual(
      expect.arrayContaining(['README.md', 'libs/client/README.md', 'docs/reference/typescript.md']),
    );
    for (const program of programs) {
      const folder = await scratch.folder();
      const installed = path.join(folder, 'node_modules/@agentstate/client');
      await mkdir(installed, { recursive: true });
      for (const part of ['dist', 'package.json'])
        await cp(path.join(CLIENT, part), path.join(installed, part), { recursive: true });
      await expectOutput(program, folder, process.execPath, 'main.mjs', javaScriptOf(program.code));
    }
  }, 300_000);

  const python = async (): Promise<void> => {
    await run('bash', [path.join(ROOT, 'sdks/python/check.sh'), 'install']);
    const programs = await documented('python');
    expect(programs.map(({ document }) => document)).toEqual(
      expect.arrayContaining(['README.md', 'sdks/python/README.md', 'docs/reference/python.md']),
    );
    for (const program of programs)
      await expectOutput(program, await scratch.folder(), PYTHON, 'main.py', program.code);
  };
  if (hasPython) test('Python', python, 300_000);
  else test.skip('left out: no Python 3 with venv here (Debian: python3-venv)', python);

  /** Each has a node of its own: what one leaves behind would be seen by the next. */
  async function expectOutput(
    { document, line, output }: Placed,
    folder: string,
    command: string,
    file: string,
    code: string,
  ): Promise<void> {
    const { url } = await scratch.start({ dataDir: await scratch.folder() });
    await writeFile(path.join(folder, file), code.replaceAll('http://127.0.0.1:8080', url));
    const child = spawn(command, [file], {
      cwd: folder,
      env: { PATH: process.env['PATH'], PYTHONUNBUFFERED: '1' },
    });
    running.push(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    let code_: number | null | undefined;
    child.on('close', (exitCode) => (code_ = exitCode));
    const where = `${document}:${line}`;
    await until(`${where} to print ${JSON.stringify(output)} or to end`, () => {
      if (code_ !== undefined) return true;
      return output.length > 0 && missingLine(output, out) === undefined;
    });
    expect({ where, missing: missingLine(output, out), code: code_ ?? 0, err, out }).toEqual({
      where,
      code: 0,
      err: '',
      out,
    });
    child.kill('SIGKILL');
  }
});

interface Placed extends DocumentedProgram {
  readonly document: string;
}

async function documented(language: DocumentedProgram['language']): Promise<readonly Placed[]> {
  const inDocs = (await readdir(path.join(ROOT, 'docs'), { recursive: true })).filter((file) =>
    file.endsWith('.md'),
  );
  const documents = [
    'README.md',
    'libs/client/README.md',
    'sdks/python/README.md',
    ...inDocs.map((file) => `docs/${file}`),
  ];
  const found: Placed[] = [];
  for (const document of documents) {
    for (const program of programsOf(await readFile(path.join(ROOT, document), 'utf8')))
      if (program.language === language) found.push({ ...program, document });
  }
  return found;
}

/** Types are left out; what they say is checked where the package is installed into projects. */
function javaScriptOf(code: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}
