import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { freePorts, freePortsInARow } from '../../e2e/launcher/free-ports';

const ROOT = path.join(__dirname, '../..');
/** What documents name of the project. The data of what they start lies beside these, in a folder of the test. */
const PARTS = ['.npmrc', 'bin', 'dist', 'libs'];

/**
 * A folder that looks like the project's root to whoever types commands in it, and ports that are free in the place of
 * those that documents name.
 */
export class TypedProject {
  private constructor(
    /** Its root. */
    readonly folder: string,
    private readonly ports: ReadonlyMap<string, string>,
    private readonly natsPort: number,
  ) {}

  /** Lays it out in an empty folder. */
  static async in(folder: string): Promise<TypedProject> {
    for (const part of PARTS) await symlink(path.join(ROOT, part), path.join(folder, part));
    // Three nodes of `npm run cluster` with three ports each, in this order; then a node beside them, and single ones.
    const first = await freePortsInARow();
    const free = await freePorts(OTHER_PORTS.length + 1);
    const ports = new Map([
      ...CLUSTER_PORTS.map((port, at) => [port, `${first + at}`] as const),
      ...OTHER_PORTS.map((port, at) => [port, `${free[at]}`] as const),
    ]);
    return new TypedProject(folder, ports, free[OTHER_PORTS.length] ?? 0);
  }

  /** The port that stands for one that documents name. */
  port(documented: string): string {
    const port = this.ports.get(documented);
    if (port === undefined) throw new Error(`no document names port ${documented}`);
    return port;
  }

  /** The commands as they are typed here. */
  typed(commands: string): string {
    const [http, admin, peer] = ['8081', '9091', '7401'].map((port) => this.port(port));
    const options = `--http-port ${http} --admin-port ${admin} --peer-port ${peer} --nats-port ${this.natsPort}`;
    return commands
      .replace(/^npm run cluster$/gm, `exec node dist/tools/cluster/run.js ${options}`)
      .replace(
        /(127\.0\.0\.1:|localhost:|_PORT=)(\d{4})\b/g,
        (_, before: string, port: string) => before + (this.ports.get(port) ?? port),
      );
  }

  /** What was printed, as a reader of the document would see it. */
  shown(printed: string): string {
    let text = printed;
    for (const [documented, port] of this.ports)
      text = text.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${documented}`);
    return text;
  }
}

const CLUSTER_PORTS = ['8081', '8082', '8083', '9091', '9092', '9093', '7401', '7402', '7403'];
const OTHER_PORTS = ['8084', '9094', '7404', '8080', '9090', '8443', '9443'];
