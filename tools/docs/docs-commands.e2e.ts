import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Scratch } from '../../e2e/launcher/scratch';
import type { ServerProcess } from '../../e2e/launcher/server-process';
import { type MarkedBlock, markedBlocks, missingLine } from './marked-blocks';
import { Shell } from './shell';
import { TypedProject } from './typed-project';

const ROOT = path.join(__dirname, '../..');
/** Pages for operators, whose node asks for tokens and who have its key. The node of all others is open. */
const WITH_KEY = ['docs/backup-and-restore.md', 'docs/operations/disaster-recovery.md'];
const OUTPUT_DEADLINE_MS = 30_000;

/** The README and every page below `docs` with commands; decisions tell what was tried once. */
const DOCUMENTS = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('adr'))
    .map((file) => `docs/${file}`)
    .sort(),
].map((document) => ({ document, blocks: markedBlocks(readFileSync(path.join(ROOT, document), 'utf8')) }));

/** The goal: what the documents tell a reader to type works. The method: type it, against a new node. */
describe('documents', () => {
  const scratch = new Scratch();
  let shell: Shell | undefined;
  afterEach(async () => {
    await shell?.close();
    await scratch.clear();
  });

  const typed = DOCUMENTS.filter(({ blocks }) => blocks.some(({ kind }) => kind !== 'not run'));
  test('there are some', () => expect(typed.length).toBeGreaterThan(5));

  test.each(typed)(
    '$document: its commands print what it shows',
    async ({ document, blocks }) => {
      const project = await TypedProject.in(await scratch.folder());
      const environment = environmentOf(project, WITH_KEY.includes(document));
      const server = await scratch.start({ dataDir: path.join(project.folder, 'data'), environment });
      shell = new Shell({
        cwd: project.folder,
        stateFolder: await scratch.folder(),
        environment: {
          ...process.env,
          // The command line is installed, and asks the reader's node unless it is told otherwise.
          PATH: `${path.join(project.folder, 'bin')}:${process.env['PATH']}`,
          AGENTSTATE_ENDPOINT: server.url,
          ...environment,
        },
      });
      await new Reader(document, project, server, shell).type(blocks);
    },
    300_000,
  );
});

/** What the reader's node and shell have set. */
function environmentOf(project: TypedProject, withKey: boolean): Record<string, string> {
  const ports = { HTTP_PORT: project.port('8080'), ADMIN_PORT: project.port('9090') };
  const open = { ...ports, HTTP_HOST: '127.0.0.1' };
  const key = randomBytes(32).toString('base64');
  return withKey ? { ...open, DEV_MODE: 'false', CAP_KEY_ACTIVE: key } : open;
}

interface Expectation {
  readonly where: string;
  readonly output: readonly string[];
  readonly printed: () => string;
}

/** Types one document, from its beginning to its end. */
class Reader {
  private inOtherTerminals: Expectation[] = [];

  constructor(
    private readonly document: string,
    private readonly project: TypedProject,
    private readonly server: ServerProcess,
    private readonly shell: Shell,
  ) {}

  async type(blocks: readonly MarkedBlock[]): Promise<void> {
    for (const block of blocks) await this.typeBlock(block);
    await this.lookAtOtherTerminals();
  }

  private async typeBlock({ line, kind, commands, output }: MarkedBlock): Promise<void> {
    const where = `${this.document}:${line}`;
    const typed = this.project.typed(commands);
    if (kind === 'background') {
      const running = this.shell.leaveRunning(typed);
      const printed = (): string => this.project.shown(running());
      // It has to be under way before the next command; the rest of its output answers to what follows.
      await waitFor({ where, output: output.slice(0, 1), printed });
      this.inOtherTerminals.push({ where, output, printed });
    } else if (kind === 'run') {
      const text = this.project.shown(await this.shell.run(typed));
      expect({ where, missing: missingLine(output, text), text }).toEqual({ where, text });
    } else if (kind === 'stop') {
      await this.lookAtOtherTerminals();
      await this.shell.close();
      if (this.server.isRunning) await this.server.stop();
    }
  }

  private async lookAtOtherTerminals(): Promise<void> {
    for (const expectation of this.inOtherTerminals.splice(0)) await waitFor(expectation);
  }
}

async function waitFor({ where, output, printed }: Expectation): Promise<void> {
  const deadlineMs = Date.now() + OUTPUT_DEADLINE_MS;
  for (
    let missing = missingLine(output, printed());
    missing !== undefined;
    missing = missingLine(output, printed())
  ) {
    if (Date.now() > deadlineMs) throw new Error(`${where} never printed ${missing}, but:\n${printed()}`);
    await delay(20);
  }
}
