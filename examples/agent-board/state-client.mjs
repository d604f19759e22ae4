// What an agent needs of AgentState, over nothing but fetch. A program of your own would look much the same.

/** A write that stood on an old version, or created what was there already: somebody else was faster. */
export class Outdated extends Error {}

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

  /** Replaces the version that the caller has seen, and no other (compare-and-set). */
  replace(seen, object) {
    return this.#put(seen.id, object, { 'if-match': `"${seen.commit_seq}"` });
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
    const response = await fetch(`${this.#base}/objects/${encodeURIComponent(id)}`, {
      method: 'PUT',
      headers: { ...this.#headers, ...condition, 'content-type': 'application/json' },
      body: JSON.stringify(object),
    });
    if (response.status === 412) throw new Outdated(id);
    if (!response.ok) await refuse(response);
    return response.json();
  }
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
