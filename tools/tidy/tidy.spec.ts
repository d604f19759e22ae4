import path from 'node:path';
import { links, machinePaths, readmes } from './documents';
import { layers } from './layers';
import { fileLength, functionLength } from './lengths';
import { anyCasts, leftovers, printing, switchedTests } from './marks';
import { names } from './names';
import { type Project, readProject, type Rule } from './project';
import { purity } from './purity';
import { reachability } from './reachability';

/** The goal: what the design and the style ask of the files themselves stays true. The method: read them all. */
const RULES: Readonly<Record<string, Rule>> = {
  'imports go down only, through doors only': layers,
  'the core is pure': purity,
  'files have one subject': fileLength,
  'functions fit a screen': functionLength,
  'no work is left for later': leftovers,
  'no test is switched off': switchedTests,
  'libraries and server do not print': printing,
  'no cast to any': anyCasts,
  'names are kebab-case and say something': names,
  'every file is used': reachability,
  'every library has a README': readmes,
  'nothing depends on one machine': machinePaths,
  'links between documents lead somewhere': links,
};

describe('tidy', () => {
  let project: Project;
  beforeAll(() => {
    project = readProject(path.join(__dirname, '../..'));
  });

  test.each(Object.entries(RULES))('%s', (_, rule) => {
    const findings = rule(project).map(({ file, line, message }) => `${file}:${line} ${message}`);
    expect(findings).toEqual([]);
  });
});
