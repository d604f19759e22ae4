/**
 * The programs in a document: every block that is fenced as `ts` or `python`. The comment lines that end one are what
 * it prints, in this order and with others between them; `…` stands for any text. A program that says so is ended then,
 * for it may watch for ever; any other has to end by itself. What is no program is fenced as `typescript` or `py`.
 */
export interface DocumentedProgram {
  /** Line of the document where the program starts; 1 is the first. */
  readonly line: number;
  readonly language: 'ts' | 'python';
  readonly code: string;
  readonly output: readonly string[];
}

const COMMENT = { ts: /^\/\/ ?(.*)$/, python: /^# ?(.*)$/ };

/** In their order. */
export function programsOf(text: string): readonly DocumentedProgram[] {
  const lines = text.split('\n');
  const found: DocumentedProgram[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w*)$/.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: this block never ends`);
    if (language === 'ts' || language === 'python') {
      const body = lines.slice(at + 1, end);
      found.push({
        line: at + 2,
        language,
        code: body.join('\n'),
        output: outputOf(body, COMMENT[language]),
      });
    }
    at = end;
  }
  return found;
}

function outputOf(body: readonly string[], comment: RegExp): readonly string[] {
  const firstOfLast = body.findLastIndex((line) => !comment.test(line)) + 1;
  return body.slice(firstOfLast).map((line) => comment.exec(line)?.[1] ?? '');
}
