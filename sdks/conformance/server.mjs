// The scripted server that the tests of every SDK start: it answers as a script says, faults included, and keeps what
// it was asked and what of that was not as the script expects. README.md has the form of a script.
//
// It prints one line, {"control": "http://127.0.0.1:port"}, and ends when its standard input does.
import http from 'node:http';
import { mismatch } from './expectations.mjs';

const FLOOD = Buffer.alloc(64 * 1024, 'x');
const scripts = new Map();

/** Listens on a free port of the loopback. */
function listen(handler) {
  return new Promise((resolve) => {
    const server = http.createServer({ keepAliveTimeout: 1_000 }, handler);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

const urlOf = (server) => `http://127.0.0.1:${server.address().port}`;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** One script at work: its servers, its next step, and what it has noticed. */
class Script {
  constructor({ servers = 1, down = [], steps }) {
    this.count = servers;
    this.down = new Set(down);
    this.steps = steps;
    this.next = 0;
    this.servers = [];
    this.urls = [];
    this.requests = [];
    this.problems = [];
    this.floodedBytes = 0;
    this.captured = new Map();
  }

  async start() {
    for (let at = 0; at < this.count; at++) {
      const server = await listen((request, response) => {
        request.on('error', () => undefined);
        response.on('error', () => undefined);
        this.answer(at, request, response).catch(() => response.destroy());
      });
      this.servers.push(server);
      this.urls.push(urlOf(server));
    }
    for (const at of this.down) await this.stop(this.servers[at]);
  }

  stop(server) {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  }

  async close() {
    await Promise.all(this.servers.filter((_, at) => !this.down.has(at)).map((server) => this.stop(server)));
  }

  async answer(at, request, response) {
    const body = await bodyOf(request);
    const { method, url, headers } = request;
    const seen = { server: at, method, url, headers, body };
    this.requests.push(seen);
    const step = this.steps[this.next++];
    const wrong = step === undefined ? 'the script was over' : mismatch(step, seen, this.captured);
    if (wrong !== undefined) {
      this.problems.push(`request ${this.requests.length} (${method} ${url}): ${wrong}`);
      response.writeHead(400, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ status: 400, code: 'invalid_request', detail: `scripted: ${wrong}` }));
      return;
    }
    await this.play(step.answer ?? {}, request, response);
  }

  async play(answer, request, response) {
    if (answer.fault === 'reset') return request.socket.resetAndDestroy();
    if (answer.fault === 'late') return;
    const headers = Object.fromEntries(
      Object.entries(answer.headers ?? {}).map(([name, value]) => [name, this.filledIn(value)]),
    );
    if (answer.stream) return this.stream(answer, headers, response);
    const isProblem = answer.status >= 400;
    const text = answer.json === undefined ? (answer.text ?? '') : JSON.stringify(answer.json);
    if (answer.json !== undefined) {
      headers['content-type'] ??= isProblem ? 'application/problem+json' : 'application/json; charset=utf-8';
    }
    if (answer.fault === 'half') {
      const bytes = Buffer.from(text);
      response.writeHead(answer.status ?? 200, { ...headers, 'content-length': bytes.length });
      response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
      return;
    }
    response.writeHead(answer.status ?? 200, headers);
    response.end(text);
  }

  async stream({ stream, status }, headers, response) {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(status ?? 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      ...headers,
      connection: 'close',
    });
    response.flushHeaders();
    for (const piece of stream) {
      if (typeof piece === 'string') response.write(piece);
      else if (piece.event) response.write(frame(piece));
      else if (piece.hold) return;
      else if (piece.flood) return this.flood(response);
      else if (piece.cut) return response.write('', () => response.socket.resetAndDestroy());
      else throw new Error(`no piece of a stream: ${JSON.stringify(piece)}`);
      // Each piece is a packet of its own where the system allows it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  }

  /** Bytes without a line end, for as long as somebody takes them. */
  async flood(response) {
    while (!response.destroyed) {
      this.floodedBytes += FLOOD.length;
      if (!response.write(FLOOD)) {
        await new Promise((resolve) => {
          const goOn = () => {
            response.off('drain', goOn).off('close', goOn);
            resolve();
          };
          response.on('drain', goOn).on('close', goOn);
        });
      }
    }
  }

  filledIn(text) {
    return text.replace(/\{url:(\d)\}/g, (_, at) => this.urls[Number(at)]);
  }

  report() {
    const { requests, problems, floodedBytes } = this;
    const left = this.steps.length - this.next;
    return {
      requests,
      flooded_bytes: floodedBytes,
      problems: left > 0 ? [...problems, `${left} steps of the script were not reached`] : problems,
    };
  }
}

/** An event as a node writes it, in one piece. */
function frame({ id, event }) {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`;
}

let lastId = 0;
const control = await listen(async (request, response) => {
  const id = request.url.slice(1);
  if (request.method === 'POST') {
    const script = new Script(JSON.parse(await bodyOf(request)));
    await script.start();
    scripts.set(`${++lastId}`, script);
    return response.end(JSON.stringify({ id: `${lastId}`, urls: script.urls }));
  }
  const script = scripts.get(id);
  if (script === undefined) return response.writeHead(404).end();
  if (request.method === 'DELETE') {
    scripts.delete(id);
    await script.close();
  }
  response.end(JSON.stringify(script.report()));
});
process.stdout.write(`${JSON.stringify({ control: urlOf(control) })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
