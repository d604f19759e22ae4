import path from 'node:path';
import { type Finding, type Project, type Rule } from './project';
import { matchingLines } from './marks';

/** Each library opens with the big picture. */
export const readmes: Rule = (project) => {
  const libs = new Set(
    project.matching(/^libs\/[^/]+\/src\//).map((file) => file.split('/').slice(0, 2).join('/')),
  );
  return [...libs]
    .filter((lib) => !project.has(`${lib}/README.md`))
    .map((lib) => ({ file: `${lib}/README.md`, line: 0, message: 'this library has no README' }));
};

/** Folders of one machine: people's homes, and where a checkout happens to lie. */
const MACHINE_PATH = new RegExp(
  `(?<![\\w.@/-])/(${['ho' + 'me/\\w', 'ro' + 'ot/', 'Us' + 'ers/\\w', 'wo' + 'rk/\\w'].join('|')})`,
);
const REGISTRY_SETTING = /^\s*(registry|@[\w-]+:registry|index-url|_authToken|\/\/\S+:_auth\w*)\s*=/;

/** What only holds on one machine breaks on every other. */
export const machinePaths: Rule = (project) => [
  ...project
    .matching(/^(?!package-lock\.json)/)
    .flatMap((file) => matchingLines(project, file, MACHINE_PATH, 'a path of one machine')),
  ...project
    .matching(/(^|\/)(\.npmrc|pip\.conf|\.yarnrc)$/)
    .flatMap((file) =>
      matchingLines(project, file, REGISTRY_SETTING, "a registry is the machine's own affair"),
    ),
  ...project.matching(/(^|\/)package-lock\.json$/).flatMap((file) => lockHosts(project, file)),
];

/** Without addresses the lock file holds for every registry that serves the same packages. */
function lockHosts(project: Project, file: string): readonly Finding[] {
  return matchingLines(project, file, /"resolved": "https?:[^"]*"/, 'a registry of one machine');
}

const LINK = /(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)|!\[[^\]]*\]\(([^)\s]+)\)/g;
const EXTERNAL = /^[a-z]+:/i;

/** Links between documents lead somewhere, down to the heading. */
export const links: Rule = (project) =>
  project.matching(/\.md$/).flatMap((file) =>
    withoutCode(project.text(file))
      .split('\n')
      .flatMap((text, index) =>
        [...text.matchAll(LINK)].flatMap((hit): Finding[] => {
          const link = hit[1] ?? hit[2] ?? '';
          const wrong = EXTERNAL.test(link) ? undefined : brokenLink(project, file, link);
          return wrong === undefined ? [] : [{ file, line: index + 1, message: `${link}: ${wrong}` }];
        }),
      ),
  );

function brokenLink(project: Project, file: string, link: string): string | undefined {
  const [target = '', heading] = link.split('#');
  const resolved =
    target === '' ? file : path.posix.join(path.posix.dirname(file), decodeURIComponent(target));
  const folder = `${resolved.replace(/\/$/, '')}/`;
  const isFolder = [...project.files.keys()].some((other) => other.startsWith(folder));
  if (!project.has(resolved) && !isFolder) return 'leads nowhere';
  if (heading === undefined || !project.has(resolved)) return undefined;
  return headings(project.text(resolved)).has(heading) ? undefined : 'no such heading';
}

/** The anchors that a forge makes of headings: lower case, no punctuation, dashes for spaces. */
function headings(text: string): ReadonlySet<string> {
  const found = withoutCode(text).matchAll(/^#{1,6}\s+(.+?)\s*$/gm);
  return new Set(
    [...found].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Blanks out fenced and inline code, keeping the lines. */
function withoutCode(text: string): string {
  const noFences = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ''));
  return noFences.replace(/`[^`\n]*`/g, '');
}
