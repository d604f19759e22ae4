import ts from 'typescript';
import { CODE, type Finding, servesTests, lineOf, type Project, type Rule, walk } from './project';

/** Written in pieces, so that this file does not break its own rule. */
const LEFTOVER = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
const SILENCED = new RegExp(`@ts-(${['ig' + 'nore', 'no' + 'check'].join('|')})\\b`);
const COMMENTED_TEXT = /\.(ts|mjs|cjs|py|sh|ya?ml)$|^\.ci\/|^bin\//;

/** Work that was left for later: nothing is. */
export const leftovers: Rule = (project) =>
  project
    .matching(COMMENTED_TEXT)
    .flatMap((file) => [
      ...matchingLines(project, file, LEFTOVER, 'a mark of unfinished work'),
      ...matchingLines(project, file, SILENCED, 'the compiler is silenced'),
    ]);

const SWITCHED = /^((it|test|describe)\b.*\.(only|skip|failing|todo)|(fit|xit|xtest|fdescribe|xdescribe))\b/;

/**
 * Tests that are switched off, or that switch all others off. A test whose data is not on every machine may leave
 * itself out if its name says so: `test.skip('left out: …')`.
 */
export const switchedTests: Rule = (project) =>
  project
    .matching(CODE)
    .flatMap((file) =>
      callsIn(project, file, (callee, title) =>
        SWITCHED.test(callee) && !(callee.endsWith('.skip') && title.startsWith('left out: '))
          ? `${callee} leaves tests out`
          : undefined,
      ),
    );

/** The server logs one JSON object a line through its logger; a library says nothing by itself. */
export const printing: Rule = (project) =>
  project
    .matching(/^(libs|apps\/server)\/.*\.ts$/)
    .filter((file) => !servesTests(file))
    .flatMap((file) =>
      callsIn(project, file, (callee) => (/^console\./.test(callee) ? `${callee} is not a log` : undefined)),
    );

export const anyCasts: Rule = (project) =>
  project.matching(CODE).flatMap((file) => {
    const tree = project.tree(file);
    const found: Finding[] = [];
    walk(tree, (node) => {
      const type = ts.isAsExpression(node) || ts.isTypeAssertionExpression(node) ? node.type : undefined;
      if (type?.kind !== ts.SyntaxKind.AnyKeyword) return;
      found.push({ file, line: lineOf(tree, node), message: 'a cast to any switches the types off' });
    });
    return found;
  });

export function matchingLines(project: Project, file: string, pattern: RegExp, what: string): Finding[] {
  return project
    .text(file)
    .split('\n')
    .flatMap((text, index) => {
      const hit = pattern.exec(text);
      return hit === null ? [] : [{ file, line: index + 1, message: `${what}: ${hit[0].trim()}` }];
    });
}

type Judge = (callee: string, firstArgument: string) => string | undefined;

/** What the judge says of each call, given its name and its first argument when that is a plain text. */
function callsIn(project: Project, file: string, judge: Judge): Finding[] {
  const tree = project.tree(file);
  const found: Finding[] = [];
  walk(tree, (node) => {
    if (!ts.isCallExpression(node)) return;
    const [first] = node.arguments;
    const message = judge(nameOf(node.expression), first && ts.isStringLiteralLike(first) ? first.text : '');
    if (message !== undefined) found.push({ file, line: lineOf(tree, node), message });
  });
  return found;
}

/** The dotted name of what is called, without arguments: `test.each([1])('x', f)` is a call of `test.each`. */
function nameOf(callee: ts.Expression): string {
  if (ts.isPropertyAccessExpression(callee)) return `${nameOf(callee.expression)}.${callee.name.text}`;
  if (ts.isCallExpression(callee)) return nameOf(callee.expression);
  return ts.isIdentifier(callee) ? callee.text : '';
}
