/**
 * The commands of a document that are tested. A comment on the line before a fenced block marks it:
 *
 * - `<!-- docs-test -->`: run it; it must succeed;
 * - `<!-- docs-test: background -->`: start it and leave it running until the document ends;
 * - `<!-- docs-test: output -->`: what the newest block before it prints.
 */
export interface MarkedBlock {
  /** Line of the document where the block's text starts; 1 is the first. */
  readonly line: number;
  readonly background: boolean;
  readonly commands: string;
  /** Lines that are printed in this order, others between them; `…` stands for any text. */
  readonly output: readonly string[];
}

const MARK = /^<!-- docs-test(?:: (\w+))? -->$/;
const FENCE = /^```(\w*)$/;

/** Throws on a mark that means nothing, so that a slip of the pen does not leave a test out. */
export function markedBlocks(text: string): readonly MarkedBlock[] {
  const lines = text.split('\n');
  const blocks: MarkedBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const mark = MARK.exec(lines[at] ?? '');
    if (mark === null) {
      if (lines[at]?.includes('<!-- docs-test')) throw new Error(`line ${at + 1}: not a mark: ${lines[at]}`);
      continue;
    }
    const start = at + (lines[at + 1] === '' ? 2 : 1);
    const language = FENCE.exec(lines[start] ?? '')?.[1];
    const end = lines.indexOf('```', start + 1);
    if (language === undefined || end < 0)
      throw new Error(`line ${at + 1}: no fenced block follows this mark`);
    add(blocks, { kind: mark[1], language, line: start + 2, content: lines.slice(start + 1, end) });
    at = end;
  }
  return blocks;
}

interface Fenced {
  readonly kind: string | undefined;
  readonly language: string;
  readonly line: number;
  readonly content: readonly string[];
}

function add(blocks: MarkedBlock[], { kind, language, line, content }: Fenced): void {
  if (kind === 'output') {
    const command = blocks.pop();
    if (command === undefined) throw new Error(`line ${line}: output of no command`);
    blocks.push({ ...command, output: [...command.output, ...content.filter((text) => text.trim() !== '')] });
    return;
  }
  if ((kind !== undefined && kind !== 'background') || language !== 'bash') {
    throw new Error(`line ${line}: a tested block is bash, and marked "background" or not at all`);
  }
  blocks.push({ line, background: kind === 'background', commands: content.join('\n'), output: [] });
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
