import ts from 'typescript';
import { CODE, type Finding, isTest, lineOf, type Rule, walk } from './project';

const SOURCE_LINES = 400;
const TEST_LINES = 600;
const FUNCTION_LINES = 80;

export const fileLength: Rule = (project) =>
  project.matching(CODE).flatMap((file) => {
    const limit = isTest(file) ? TEST_LINES : SOURCE_LINES;
    const lines = project.text(file).trimEnd().split('\n').length;
    if (lines <= limit) return [];
    return [{ file, line: 0, message: `${lines} lines, of at most ${limit}: it has more than one subject` }];
  });

export const functionLength: Rule = (project) =>
  project.matching(CODE).flatMap((file) => {
    const tree = project.tree(file);
    const found: Finding[] = [];
    walk(tree, (node) => {
      if (!ts.isFunctionLike(node) || isGroupOfTests(node)) return;
      const first = lineOf(tree, node);
      const lines = tree.getLineAndCharacterOfPosition(node.end).line + 2 - first;
      if (lines <= FUNCTION_LINES) return;
      found.push({
        file,
        line: first,
        message: `a function of ${lines} lines, of at most ${FUNCTION_LINES}`,
      });
    });
    return found;
  });

/** A function that declares tests is a chapter of them, not one piece of code. */
function isGroupOfTests(group: ts.Node): boolean {
  let declares = false;
  walk(group, (node) => {
    declares ||= ts.isCallExpression(node) && /\b(describe|test|it)\b/.test(calleeOf(node));
  });
  return declares;
}

/** `test.each(rows)('name', …)` is a call of `test`, too. */
function calleeOf(call: ts.CallExpression): string {
  let callee: ts.Expression = call.expression;
  while (ts.isCallExpression(callee)) callee = callee.expression;
  return callee.getText();
}
