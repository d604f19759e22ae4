// What an agent needs of AgentState, over nothing but fetch. A program of your own would look much the same.

/** A write that stood on an old version, or created what was there already: somebody else was faster. */
export class Outdated extends Error {}

/** A step under a lease that is not held any more. */
export class Lost extends Error {}

/** How often a request is sent before its answer is given up; with an idempotency key it still happens once. */
const ATTEMPTS = 20;

export class StateClient {
  #base;
  #headers;

  constructor({ url, namespace, token }) {
    this.#base = `${url}/v1/${encodeURIComponent(namespace)}`;
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** Creates an object; throws Outdated when the id is taken. */
  create(id, object) {
    return this.#put(id, object, { 'if-none-match': '*' });
  }

  /** The object, or undefined. */
  async get(id) {
    const response = await this.#send('GET', `/objects/${encodeURIComponent(id)}`);
    return response.status === 404 ? undefined : accept(response);
  }

  /**
   * Merges changes into an object while the lease is held; throws Lost when it is not. With a key of its own the
   * step happens once, whoever takes it; without one, once for each call.
   */
  async patch(id, changes, { lease, key = crypto.randomUUID() }) {
    const response = await this.#send('PATCH', `/objects/${encodeURIComponent(id)}`, changes, {
      'content-type': 'application/merge-patch+json',
      'if-resource': encodeHeader(lease.key),
      'if-fence': String(lease.token),
      'idempotency-key': key,
    });
    if (response.status === 409) throw new Lost(id);
    return accept(response);
  }

  /** Takes a lease for some seconds; undefined while somebody else holds it. */
  async acquire(key, owner, ttl) {
    const response = await this.#send('POST', '/lease/acquire', { key, owner, ttl });
    return response.status === 409 ? undefined : accept(response);
  }

  async release({ key, owner, token }) {
    const response = await this.#send('POST', '/lease/release', { key, owner, token });
    // It may have ended by itself.
    if (response.status !== 409 && !response.ok) await refuse(response);
  }

  /**
   * Yields every change that matches, starting with what is there now, until the signal is aborted. When the
   * stream breaks it goes on after the last event it had, so nothing is missed and nothing comes twice.
   */
  async *watch(filter, signal) {
    let lastEventId;
    while (!signal.aborted) {
      try {
        const search = new URLSearchParams(
          lastEventId === undefined ? { ...filter, initial: 'true' } : filter,
        );
        const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
        const response = await fetch(`${this.#base}/watch?${search}`, {
          headers: { ...this.#headers, ...resume },
          signal,
        });
        if (!response.ok) await refuse(response);
        for await (const { id, data } of events(response.body)) {
          if (id !== undefined) lastEventId = id;
          if (data.type === 'PUT' || data.type === 'DELETE') yield data;
        }
      } catch (error) {
        if (signal.aborted) return;
        // A refusal will not get better by asking again; a broken connection will.
        if (!(error instanceof TypeError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  async #put(id, object, condition) {
    const key = { 'idempotency-key': crypto.randomUUID() };
    const path = `/objects/${encodeURIComponent(id)}`;
    const response = await this.#send('PUT', path, object, { ...condition, ...key });
    if (response.status === 412) throw new Outdated(id);
    return accept(response);
  }

  /** Sends until there is an answer that counts: what broke off, or could not be served just then, is sent again. */
  async #send(method, path, json, headers = {}) {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === ATTEMPTS;
      try {
        const response = await fetch(`${this.#base}${path}`, {
          method,
          headers: { ...this.#headers, ...(json && { 'content-type': 'application/json' }), ...headers },
          ...(json && { body: JSON.stringify(json) }),
        });
        if (isLast || (response.status !== 503 && response.status !== 504)) return response;
      } catch (error) {
        if (isLast || !(error instanceof TypeError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}

async function accept(response) {
  if (!response.ok) await refuse(response);
  return response.json();
}

/** Header values are bytes: UTF-8, one character a byte. */
function encodeHeader(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

async function refuse(response) {
  throw new Error(`${response.status} from ${response.url}: ${await response.text()}`);
}

/** Takes a server-sent event stream apart: an empty line ends an event. */
async function* events(body) {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const field = (name) => block.match(new RegExp(`^${name}: ?(.*)$`, 'm'))?.[1];
      const data = field('data');
      if (data !== undefined) yield { id: field('id'), data: JSON.parse(data) };
    }
  }
}
