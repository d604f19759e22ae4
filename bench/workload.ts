/** What every run sends: objects of one size, over a bounded number of ids. */
export const NAMESPACE = 'agent://bench';
export const OBJECTS_PATH = `/v1/${encodeURIComponent(NAMESPACE)}/objects`;
export const CONNECTIONS = 64;
export const BODY_BYTES = 300;
/** Ids in use: more than any cache line, few enough to be stored before reads are measured. */
export const KEYS = 10_000;

export interface LoadRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH';
  readonly path: string;
  /** JSON on one line. */
  readonly body?: string;
  /** What the body is, where it is not `application/json`. */
  readonly contentType?: string;
}

export const objectPath = (key: number | string): string => `${OBJECTS_PATH}/object-${key}`;

/** A request body of exactly {@link BODY_BYTES}: an agent's task with some text. */
export function requestBody(key: number): string {
  const empty = JSON.stringify({ type: 'task', tags: { kind: 'bench' }, body: { step: key, text: '' } });
  const text = 'x'.repeat(BODY_BYTES - empty.length);
  return JSON.stringify({ type: 'task', tags: { kind: 'bench' }, body: { step: key, text } });
}

export const putObject = (key: number): LoadRequest => ({
  method: 'PUT',
  path: objectPath(key),
  body: requestBody(key),
});

export const getObject = (key: number): LoadRequest => ({ method: 'GET', path: objectPath(key) });

/** One request for each of {@link KEYS}. */
export const forEachKey = (request: (key: number) => LoadRequest): readonly LoadRequest[] =>
  Array.from({ length: KEYS }, (_, key) => request(key));
