import type { ChangeBatch, ChangeEvent, ScannedObject, Tags } from '#contracts';
import { MessageKind, pack, positionOf, rowsOf, unpack } from './message-form';
import { CodecError } from './codec-error';

/** `put`, `delete`, `expired`: how an event says what happened. */
type Happening = 'p' | 'd' | 'x';
type EventHead = readonly [happening: Happening, id: string, type: string, tags: Tags];
type BatchHead = readonly [
  ns: string,
  commitSeq: number,
  prevCommitSeq: number,
  tsMs: number,
  events: readonly EventHead[],
];
type RowHead = readonly [id: string, commitSeq: number, tsMs: number];

/** Batches of changes as they travel between nodes. The objects are copied as they are. */
export function encodeChangeBatches(batches: readonly ChangeBatch[]): Uint8Array {
  const objects: Uint8Array[] = [];
  const head = batches.map(({ ns, commitSeq: seq, prevCommitSeq, tsMs, events }): BatchHead => {
    return [ns, seq, prevCommitSeq, tsMs, events.map((event) => eventHead(event, objects))];
  });
  return pack(MessageKind.changeBatches, head, objects);
}

/** The objects in the batches are views of `bytes`. Throws {@link CodecError} on what no node has written. */
export function decodeChangeBatches(bytes: Uint8Array): readonly ChangeBatch[] {
  const { head, blobs } = unpack(MessageKind.changeBatches, bytes);
  let next = 0;
  const eventOf = ([happening, id, type, tags]: EventHead): ChangeEvent => {
    if (happening === 'd') return { kind: 'delete', reason: 'delete', id, type, tags };
    if (happening === 'x') return { kind: 'delete', reason: 'expired', id, type, tags };
    const object = blobs[next++];
    if (object === undefined) throw new CodecError(`the put of a change lacks its object`);
    return { kind: 'put', id, type, tags, object };
  };
  return (rowsOf(head, 5) as readonly BatchHead[]).map(([ns, seq, prev, tsMs, events]) => ({
    ns,
    commitSeq: positionOf(seq),
    prevCommitSeq: positionOf(prev),
    tsMs,
    events: (rowsOf(events, 4) as readonly EventHead[]).map(eventOf),
  }));
}

/** Live objects of a scan, in order. */
export function encodeScannedObjects(rows: readonly ScannedObject[]): Uint8Array {
  const head = rows.map(({ id, commitSeq: seq, tsMs }): RowHead => [id, seq, tsMs]);
  return pack(
    MessageKind.scannedObjects,
    head,
    rows.map(({ json }) => json),
  );
}

/** The objects are views of `bytes`. */
export function decodeScannedObjects(bytes: Uint8Array): readonly ScannedObject[] {
  const { head, blobs } = unpack(MessageKind.scannedObjects, bytes);
  return (rowsOf(head, 3) as readonly RowHead[]).map(([id, seq, tsMs], at) => {
    const json = blobs[at];
    if (json === undefined) throw new CodecError(`a scanned object lacks its JSON`);
    return { id, commitSeq: positionOf(seq), tsMs, json };
  });
}

function eventHead({ kind, reason, id, type, tags, object }: ChangeEvent, objects: Uint8Array[]): EventHead {
  if (kind === 'delete') return [reason === 'expired' ? 'x' : 'd', id, type, tags];
  if (object === undefined) throw new Error(`a put of ${id.length} characters of id without its object`);
  objects.push(object);
  return ['p', id, type, tags];
}
