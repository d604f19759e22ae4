import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePortsInARow } from '../../e2e/launcher/free-ports';
import { Scratch } from '../../e2e/launcher/scratch';
import { markedBlocks, missingLine } from './marked-blocks';
import { Shell } from './shell';

const ROOT = path.join(__dirname, '../..');
const DOCUMENTS = ['README.md'];
const OUTPUT_DEADLINE_MS = 30_000;

/** The goal: what the documents tell a reader to type works. The method: type it, against a new server. */
describe('documents', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test.each(DOCUMENTS)('%s: its commands print what it shows', async (document) => {
    const blocks = markedBlocks(readFileSync(path.join(ROOT, document), 'utf8'));
    expect(blocks).not.toEqual([]);
    const server = await scratch.start({ dataDir: await scratch.folder() });
    const cluster = await freePortsInARow();
    const clusterFolder = await scratch.folder();
    const onFreePorts = (commands: string): string =>
      commands
        .replace(
          /^npm run cluster$/gm,
          `exec node dist/tools/cluster/run.js ${optionsOf(cluster, clusterFolder)}`,
        )
        .replace(
          /\b127\.0\.0\.1:808([123])\b/g,
          (_, node: string) => `127.0.0.1:${cluster + Number(node) - 1}`,
        )
        .replace(/\b(127\.0\.0\.1|localhost):8080\b/g, new URL(server.url).host)
        .replace(/\b(127\.0\.0\.1|localhost):9090\b/g, new URL(server.adminUrl).host);
    const onDocumentedPorts = (printed: string): string =>
      [0, 1, 2].reduce(
        (text, at) => text.replaceAll(`127.0.0.1:${cluster + at}`, `127.0.0.1:${8081 + at}`),
        printed,
      );
    const shell = new Shell(await scratch.folder());
    const inOtherTerminals: Expectation[] = [];
    try {
      for (const { line, background, commands, output } of blocks) {
        const where = `${document}:${line}`;
        if (background) {
          const running = shell.leaveRunning(onFreePorts(commands));
          const printed = (): string => onDocumentedPorts(running());
          // It has to be under way before the next command; the rest of its output answers to what follows.
          await waitFor({ where, output: output.slice(0, 1), printed });
          inOtherTerminals.push({ where, output, printed });
        } else {
          const text = await shell.run(onFreePorts(commands));
          expect({ where, missing: missingLine(output, text), text }).toEqual({ where, text });
        }
      }
      for (const expectation of inOtherTerminals) await waitFor(expectation);
    } finally {
      await shell.close();
    }
  });
});

/** Nine ports: three nodes, each with an API, an admin and a peer port. */
function optionsOf(first: number, folder: string): string {
  return `--data-dir ${folder} --http-port ${first} --admin-port ${first + 3} --peer-port ${first + 6}`;
}

interface Expectation {
  readonly where: string;
  readonly output: readonly string[];
  readonly printed: () => string;
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
