/**
 * The commands of a document, and what a test does with them. A comment on the line before a fenced `bash` block says
 * it, and every such block has one:
 *
 * - `<!-- docs-test -->`: run it; it must succeed;
 * - `<!-- docs-test: background -->`: start it and leave it running until the document ends or says `stop`;
 * - `<!-- docs-test: not run: reason -->`: it needs what a test does not have, a Kubernetes for instance.
 *
 * Two more stand for themselves:
 *
 * - `<!-- docs-test: output -->`, before another block: what the newest commands before it print;
 * - `<!-- docs-test: stop -->`, before no block: the reader stops what runs, the document's own node too.
 */
export interface MarkedBlock {
  /** Line of the document where the block's text starts, or of a mark without one; 1 is the first. */
  readonly line: number;
  readonly kind: 'run' | 'background' | 'stop' | 'not run';
  readonly commands: string;
  /** Lines that are printed in this order, others between them; `…` stands for any text. */
  readonly output: readonly string[];
}

const MARK = /^<!-- docs-test(?:: (.+))? -->$/;
const FENCE = /^```(\w*)$/;
const NOT_RUN = /^not run: \S/;

/** Throws on a mark that means nothing, and on commands without one: a slip of the pen does not leave a test out. */
export function markedBlocks(text: string): readonly MarkedBlock[] {
  const lines = text.split('\n');
  const blocks: MarkedBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const mark = MARK.exec(line);
    if (mark?.[1] === 'stop') {
      blocks.push({ line: at + 1, kind: 'stop', commands: '', output: [] });
      continue;
    }
    const start = mark === null ? at : lines[at + 1] === '' ? at + 2 : at + 1;
    const language = FENCE.exec(lines[start] ?? '')?.[1];
    if (mark === null && line.includes('<!-- docs-test'))
      throw new Error(`line ${at + 1}: not a mark: ${line}`);
    if (mark !== null && language === undefined)
      throw new Error(`line ${at + 1}: no fenced block follows this mark`);
    if (language === undefined) continue;
    const end = lines.indexOf('```', start + 1);
    if (end < 0) throw new Error(`line ${start + 1}: this block never ends`);
    const fenced = { language, line: start + 2, content: lines.slice(start + 1, end) };
    if (mark !== null) add(blocks, { ...fenced, mark: mark[1] });
    else if (language === 'bash') throw new Error(`line ${start + 1}: this block has no mark`);
    at = end;
  }
  return blocks;
}

interface Fenced {
  readonly mark: string | undefined;
  readonly language: string;
  readonly line: number;
  readonly content: readonly string[];
}

function add(blocks: MarkedBlock[], { mark, language, line, content }: Fenced): void {
  if (mark === 'output') {
    const command = blocks.pop();
    if (command === undefined || command.kind === 'stop' || command.kind === 'not run')
      throw new Error(`line ${line}: output of no command`);
    blocks.push({ ...command, output: [...command.output, ...content.filter((text) => text.trim() !== '')] });
    return;
  }
  if (language !== 'bash') throw new Error(`line ${line}: commands are fenced as bash`);
  blocks.push({ line, kind: kindOf(mark, line), commands: content.join('\n'), output: [] });
}

function kindOf(mark: string | undefined, line: number): MarkedBlock['kind'] {
  if (mark === undefined) return 'run';
  if (mark === 'background') return mark;
  if (NOT_RUN.test(mark)) return 'not run';
  throw new Error(`line ${line}: there is no mark "${mark}"`);
}

/** The first expected line that the output does not have after the ones before it; `undefined` when all are there. */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  const printed = output.split('\n');
  let at = 0;
  return expected.find((line) => {
    const pattern = new RegExp(
      `^\\s*${line
        .trim()
        .split('…')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}\\s*$`,
    );
    while (at < printed.length) if (pattern.test(printed[at++] ?? '')) return false;
    return true;
  });
}
