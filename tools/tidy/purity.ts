import ts from 'typescript';
import { type Finding, servesTests, lineOf, type Rule, walk } from './project';

/** Globals that bring in a clock, chance, waiting, the machine, or Node's own types of bytes. */
const BANNED = new Set(
  (
    'Buffer process setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask performance ' +
    'crypto fetch console globalThis global Promise Worker Atomics SharedArrayBuffer WeakRef FinalizationRegistry'
  ).split(' '),
);
const BANNED_MEMBERS = new Set(['Date.now', 'Math.random']);

const PURE_FILE = /^libs\/(contracts|codec|raft|state-machine)\/.*\.ts$/;

/** The core is a function of state and input: see DESIGN section 1. */
export const purity: Rule = (project) =>
  project
    .matching(PURE_FILE)
    .filter((file) => !servesTests(file))
    .flatMap((file) => {
      const tree = project.tree(file);
      const found: Finding[] = [];
      walk(tree, (node) => {
        const what = impurity(node);
        if (what !== undefined)
          found.push({ file, line: lineOf(tree, node), message: `${what} in a pure library` });
      });
      return found;
    });

function impurity(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  if (ts.isAwaitExpression(node)) return 'await';
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) {
    return 'new Date() without a time';
  }
  if (ts.isPropertyAccessExpression(node) && BANNED_MEMBERS.has(node.getText())) return node.getText();
  if (ts.isIdentifier(node) && BANNED.has(node.text) && !isOnlyAName(node)) return node.text;
  return undefined;
}

/** A member, key or parameter may be called `process`; only the global is meant. */
function isOnlyAName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  const named = parent as ts.Node & { readonly name?: ts.Node };
  return named.name === node && !ts.isShorthandPropertyAssignment(parent);
}
