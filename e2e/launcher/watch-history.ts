import type { ChangeBatch, ChangeEvent } from '#contracts';
import { type SseEvent, SseParser } from '#testkit';
import type { ClusterNode } from './cluster-node';

/** The object that marks where a history is looked at: it is written more than once. */
const LAST_ID = 'last';
const encoder = new TextEncoder();

interface WireChange {
  readonly type: string;
  readonly id: string;
  readonly ts: string;
  readonly reason?: 'delete' | 'expired';
  readonly object?: { readonly type: string; readonly tags: Readonly<Record<string, string>> };
}

/** Writes an object through whichever node takes it, and gives its position. */
export async function writeLast(nodes: readonly ClusterNode[], ns: string): Promise<number | undefined> {
  for (const node of nodes) {
    const response = await fetch(`${node.url}/v1/${encodeURIComponent(ns)}/objects/${LAST_ID}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const json = (await response.json()) as { readonly commit_seq?: number };
    if (response.status === 200) return json.commit_seq;
  }
  return undefined;
}

/** The whole history of a namespace as one node tells it to a watch from the first change on. */
export async function readHistory(
  node: ClusterNode,
  ns: string,
  upTo: number,
): Promise<readonly ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  let events: ChangeEvent[] = [];
  for (const { id, data } of await readEvents(node, ns, {}, upTo)) {
    const wire = JSON.parse(data) as WireChange;
    if (wire.type === 'PUT' || wire.type === 'DELETE') events.push(changeOf(wire));
    if (id === undefined || events.length === 0) continue;
    batches.push({
      ns,
      commitSeq: Number(id) as ChangeBatch['commitSeq'],
      prevCommitSeq: (batches.at(-1)?.commitSeq ?? 0) as ChangeBatch['commitSeq'],
      tsMs: Date.parse(wire.ts),
      events,
    });
    events = [];
  }
  return batches;
}

/** What a watch from the first change on, or from where `headers` say, is sent up to the position `upTo`. */
export async function readEvents(
  node: ClusterNode,
  ns: string,
  headers: Record<string, string>,
  upTo: number,
): Promise<readonly SseEvent[]> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), 60_000);
  const events: SseEvent[] = [];
  try {
    const response = await fetch(`${node.url}/v1/${encodeURIComponent(ns)}/watch?from_commit=1`, {
      headers,
      signal: ending.signal,
    });
    if (!response.ok || response.body === null) {
      throw new Error(`a watch of ${ns} at ${node.name}: ${response.status} ${await response.text()}`);
    }
    const parser = new SseParser();
    for await (const bytes of response.body) {
      for (const event of parser.push(bytes as Uint8Array)) {
        events.push(event);
        if (Number(event.id) >= upTo) return events;
      }
    }
    throw new Error(`a watch of ${ns} at ${node.name} broke off before ${upTo}`);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

function changeOf({ type, id, reason, object }: WireChange): ChangeEvent {
  return {
    kind: type === 'PUT' ? 'put' : 'delete',
    id,
    type: object?.type ?? 'object',
    tags: object?.tags ?? {},
    ...(reason !== undefined && { reason }),
    ...(object !== undefined && { object: encoder.encode(JSON.stringify(object)) }),
  };
}
