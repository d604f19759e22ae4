import type { CommandOutcome, CommitSeq, OperationResult, ReadOutcome, ReadRequest } from '#contracts';
import { CodecError } from './codec-error';
import { isListOfObjects, kindOf, MessageKind, pack, positionOf, unpack } from './message-form';

const OBJECT = { kind: 'object' } as const;
const NO_BLOBS: readonly Uint8Array[] = [];

/** What the JSON of a `done` outcome says: results as they are, but of each object only that it follows as a blob. */
interface DoneHead {
  readonly kind: 'done';
  readonly commitSeq: CommitSeq;
  readonly results: readonly (Exclude<OperationResult, { kind: 'object' }> | { readonly kind: 'object' })[];
  readonly replayed?: true;
}

export function encodeOutcome(outcome: CommandOutcome): Uint8Array {
  if (outcome.kind === 'rejected') return pack(MessageKind.outcome, outcome, NO_BLOBS);
  const blobs = outcome.results.flatMap((result) => (result.kind === 'object' ? [result.json] : []));
  const results = outcome.results.map((result) => (result.kind === 'object' ? OBJECT : result));
  const head: DoneHead = { ...outcome, results };
  return pack(MessageKind.outcome, head, blobs);
}

/** The objects in the outcome are views of `bytes`. Throws {@link CodecError} on what no node has written. */
export function decodeOutcome(bytes: Uint8Array): CommandOutcome {
  const { head, blobs } = unpack(MessageKind.outcome, bytes);
  const kind = kindOf(head);
  if (kind === 'rejected') return head as Extract<CommandOutcome, { kind: 'rejected' }>;
  const outcome = head as DoneHead;
  if (kind !== 'done' || !isListOfObjects(outcome.results)) throw new CodecError('outcome of another form');
  positionOf(outcome.commitSeq);
  let next = 0;
  const results = outcome.results.map((result): OperationResult => {
    return result.kind === 'object' ? { kind: 'object', json: blobAt(blobs, next++) } : result;
  });
  return { ...outcome, results };
}

export function encodeReadRequest(request: ReadRequest): Uint8Array {
  return pack(MessageKind.readRequest, request, NO_BLOBS);
}

export function decodeReadRequest(bytes: Uint8Array): ReadRequest {
  const { head } = unpack(MessageKind.readRequest, bytes);
  kindOf(head);
  return head as ReadRequest;
}

export function encodeReadOutcome(outcome: ReadOutcome): Uint8Array {
  switch (outcome.kind) {
    case 'object':
      return pack(MessageKind.readOutcome, { kind: 'object', commitSeq: outcome.commitSeq }, [outcome.json]);
    case 'page':
      return pack(MessageKind.readOutcome, { kind: 'page', nextCursor: outcome.nextCursor }, outcome.objects);
    case 'absent':
    case 'indexes':
    case 'lease':
    case 'plan':
    case 'rejected':
      return pack(MessageKind.readOutcome, outcome, NO_BLOBS);
  }
}

/** The objects in the outcome are views of `bytes`. */
export function decodeReadOutcome(bytes: Uint8Array): ReadOutcome {
  const { head, blobs } = unpack(MessageKind.readOutcome, bytes);
  kindOf(head);
  const outcome = head as ReadOutcome;
  if (outcome.kind === 'object')
    return { ...outcome, commitSeq: positionOf(outcome.commitSeq), json: blobAt(blobs, 0) };
  if (outcome.kind === 'page') return { ...outcome, objects: blobs };
  return outcome;
}

function blobAt(blobs: readonly Uint8Array[], index: number): Uint8Array {
  const blob = blobs[index];
  if (!blob) throw new CodecError(`message lacks blob ${index}`);
  return blob;
}
