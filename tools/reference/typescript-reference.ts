import path from 'node:path';
import ts from 'typescript';
import { type Declared, type Package, readPackage } from './declarations';

const HEAD = `# Reference: \`@agentstate/client\`

Generated from the doc comments in [libs/client](../../libs/client/README.md) by \`npm run reference\`; change them there.
`;

/** Chapters, and the modules that they are about. */
const CHAPTERS: readonly (readonly [title: string, module: RegExp])[] = [
  ['Clients', /^(client|namespace|transport\/transport)$/],
  ['Options', /^(options|request-options)$/],
  ['Objects and queries', /^objects$/],
  ['Listings', /^pages$/],
  ['Watches', /^watch\//],
  ['Mirrors', /^mirror$/],
  ['Leases', /^lease\//],
  ['Errors', /^errors$/],
  ['`@agentstate/client/node`', /^node$/],
];

/** The public names of the TypeScript SDK. */
export function readTypeScript(folder: string): Package {
  const root = path.join(folder, 'src');
  const entries = ['index.ts', 'node.ts'].map((file) => path.join(root, file));
  return readPackage(root, entries, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
    types: [],
    strict: true,
  });
}

/** The document. */
export function typescriptReference(declared: readonly Declared[]): string {
  const lost = declared.find(({ module }) => !CHAPTERS.some(([, modules]) => modules.test(module)));
  if (lost !== undefined) throw new Error(`${lost.name} of ${lost.module} has no chapter`);
  const chapters = CHAPTERS.map(([title, modules]) => {
    const entries = declared.filter(({ module }) => modules.test(module));
    return [`## ${title}`, ...entries.map(entry)].join('\n\n');
  });
  return `${[HEAD.trimEnd(), ...chapters].join('\n\n')}\n`;
}

function entry({ name, code, doc, members }: Declared): string {
  const listed = members.map((member) => item(member.code, member.doc));
  return [
    `### ${name}`,
    `\`\`\`typescript\n${code}\n\`\`\``,
    doc,
    ...(listed.length > 0 ? [listed.join('\n')] : []),
  ].join('\n\n');
}

/** A list's item: what belongs to it is indented. */
const item = (code: string, doc: string): string => `- \`${code}\`\\\n  ${doc.replace(/\n(?=.)/g, '\n  ')}`;
