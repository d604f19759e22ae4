import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const PROGRAMS = path.join(__dirname, '../fixtures/runtimes');
const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">{"imports":{"@agentstate/client":"/client/index.js"}}</script>
<script type="module" src="/page.mjs"></script>
`;
const FILE = /^\/(?:client\/)?(?:[a-z-]+\/)*[a-z-]+\.m?js$/;

/** The server of a page that uses the client: another origin than the node's, as an application's is. */
export class BrowserPage {
  /** What the page's program sent back. */
  readonly answer: Promise<unknown>;
  private readonly server: http.Server;
  private settings: object = {};

  /** `client` is the folder of the package's files for `import`. */
  constructor(private readonly client: string) {
    let answered: (answer: unknown) => void = () => undefined;
    this.answer = new Promise((resolve) => (answered = resolve));
    this.server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method === 'POST') answered(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        void this.serve(request.url ?? '/', response);
      });
    });
  }

  /** Its origin, once it listens. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What the page's program is told when it asks. */
  tell(settings: object): void {
    this.settings = settings;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(url: string, response: http.ServerResponse): Promise<void> {
    if (url === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
    if (url === '/settings') return void response.end(JSON.stringify(this.settings));
    if (!FILE.test(url)) return void response.writeHead(url === '/answer' ? 204 : 404).end();
    const file = url.startsWith('/client/') ? path.join(this.client, url.slice(7)) : path.join(PROGRAMS, url);
    const text = await readFile(file).catch(() => undefined);
    if (text === undefined) return void response.writeHead(404).end();
    response.setHeader('content-type', 'text/javascript').end(text);
  }
}
