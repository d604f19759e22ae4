import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CLIENT = path.join(__dirname, '../../libs/client');

/** The TypeScript client as it is published, installed into projects that have nothing else. */
export class PackedClient {
  private constructor(
    private readonly folder: string,
    /** A project with the package installed, of no kind. */
    readonly project: string,
  ) {}

  /** Packs the client and installs it into an empty project; all of it lies in `folder`, which its owner removes. */
  static async install(folder: string): Promise<PackedClient> {
    const { stdout } = await npm(CLIENT, 'pack', '--json', '--pack-destination', folder);
    const tarball = path.join(folder, (JSON.parse(stdout) as [{ filename: string }])[0].filename);
    const project = path.join(folder, 'project');
    await mkdir(project);
    await writeFile(path.join(project, 'package.json'), '{"private":true}');
    await npm(project, 'install', '--offline', '--no-audit', '--no-fund', tarball);
    return new PackedClient(folder, project);
  }

  /** An empty project of its own kind, with the package installed. */
  async copy(name: string, manifest: object): Promise<string> {
    const copy = path.join(this.folder, name);
    await cp(this.project, copy, { recursive: true });
    await writeFile(path.join(copy, 'package.json'), JSON.stringify({ name, private: true, ...manifest }));
    return copy;
  }
}

const npm = (cwd: string, ...args: string[]): Promise<{ stdout: string }> =>
  run('npm', [...args, '--foreground-scripts=false', '--ignore-scripts=false'], { cwd });
