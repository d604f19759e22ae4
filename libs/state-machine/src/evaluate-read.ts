import { encodeUtf8 } from '#codec';
import type { ReadOutcome, ReadRequest } from '#contracts';
import { HeadRow } from './head-row';
import { headKey } from './keys';
import { readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/**
 * Answers a read from a replica's state. What has expired by `nowMs` (milliseconds since 1970, by the caller's
 * clock) is absent, removed or not.
 */
export function evaluateRead(reader: StateReader, request: ReadRequest, nowMs: number): ReadOutcome {
  switch (request.kind) {
    case 'get':
      return readObject(reader, request.ns, request.id, nowMs);
    case 'list':
    case 'query':
      throw new Error(request.kind);
  }
}

function readObject(reader: StateReader, ns: string, id: string, nowMs: number): ReadOutcome {
  const namespace = readNamespace(reader, ns);
  if (!namespace) return { kind: 'absent' };
  const idBytes = encodeUtf8(id);
  const row = reader.get(headKey(namespace.number, idBytes, 0, idBytes.length));
  if (!row) return { kind: 'absent' };
  const head = new HeadRow(row);
  return head.isLive(nowMs)
    ? { kind: 'object', json: head.json, commitSeq: head.commitSeq }
    : { kind: 'absent' };
}
