import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** Something that breaks a rule, and where. */
export interface Finding {
  readonly file: string;
  /** 1 is the first line; 0 speaks of the file as a whole. */
  readonly line: number;
  readonly message: string;
}

/** A rule looks at all files, because some can only be judged together. */
export type Rule = (project: Project) => readonly Finding[];

/** The project's text files by their path from the root, with `/` between folders. */
export class Project {
  private readonly trees = new Map<string, ts.SourceFile>();

  constructor(readonly files: ReadonlyMap<string, string>) {}

  /** Files whose path matches, in order. */
  matching(pattern: RegExp): readonly string[] {
    return [...this.files.keys()].filter((file) => pattern.test(file)).sort();
  }

  has(file: string): boolean {
    return this.files.has(file);
  }

  text(file: string): string {
    const text = this.files.get(file);
    if (text === undefined) throw new Error(`not a file of the project: ${file}`);
    return text;
  }

  /** The syntax tree of a source file, parsed once. */
  tree(file: string): ts.SourceFile {
    let tree = this.trees.get(file);
    if (tree === undefined) {
      tree = ts.createSourceFile(file, this.text(file), ts.ScriptTarget.ES2023, true);
      this.trees.set(file, tree);
    }
    return tree;
  }
}

/** What is made or fetched, not written by hand. */
const NOT_OURS = /^(\.git|\.venv|node_modules|dist|data|coverage|__pycache__|\.mypy_cache|\.pytest_cache)$/;
const TEXT = /(\.(ts|mjs|cjs|js|json|md|ya?ml|sh|py|toml|css|html|tpl|txt)|(^|\/)[^./]+|(^|\/)\.[^/]+)$/;

/** Known by name alone, for the documents that show them. */
const PICTURE = /\.(png|svg)$/;

/** Reads the work tree, so that a file counts before it is committed. */
export function readProject(root: string): Project {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.test(entry.name)) continue;
      if (entry.isDirectory()) visit(file);
      else if (entry.isFile() && TEXT.test(file))
        files.set(file, readFileSync(path.join(root, file), 'utf8'));
      else if (entry.isFile() && PICTURE.test(file)) files.set(file, '');
    }
  };
  visit('');
  return new Project(files);
}

export const lineOf = (tree: ts.SourceFile, node: ts.Node): number =>
  tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;

/** Calls `look` for every node of a tree. */
export function walk(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => walk(child, look));
}

export const isTest = (file: string): boolean => /\.(spec|e2e)\.ts$/.test(file);
/** What only tests and measurements run: tests themselves, and what a library keeps beside its sources for them. */
export const servesTests = (file: string): boolean => isTest(file) || /\/(testing|test|bench)\//.test(file);
/** Code that is written by hand; fixtures are data. */
export const CODE = /^(?!.*\/(fixtures|testdata)\/).*\.(ts|mjs|cjs)$/;
