import { CODE, type Finding, type Rule } from './project';

/** `kebab-case`, with role suffixes after a dot: `token.guard.ts`, `crash.e2e.ts`. */
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
/** Names that say nothing, alone or as the last word. */
const EMPTY = /(^|-)(utils?|commons?|helpers?|misc)(\.|$)/;

/** Folders and files are named after what they hold. */
export const names: Rule = (project) =>
  project.matching(CODE).flatMap((file): Finding[] => {
    const parts = file.split('/');
    const odd = parts.find((part) => !KEBAB.test(part));
    if (odd !== undefined) return [{ file, line: 0, message: `${odd} is not kebab-case` }];
    const empty = parts.find((part) => EMPTY.test(part));
    return empty === undefined ? [] : [{ file, line: 0, message: `${empty} does not say what it holds` }];
  });
