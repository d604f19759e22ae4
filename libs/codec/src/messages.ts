import type { CommandOutcome, CommitSeq, OperationResult, ReadOutcome, ReadRequest } from '#contracts';
import { CodecError } from './codec-error';
import { MessageKind, pack, unpack } from './message-form';

const NO_BLOBS: readonly Uint8Array[] = [];

/** What the JSON of a `done` outcome says: `true` for each result whose object follows as a blob. */
interface DoneHead {
  readonly kind: 'done';
  readonly commitSeq: CommitSeq;
  readonly objects: readonly boolean[];
}

export function encodeOutcome(outcome: CommandOutcome): Uint8Array {
  if (outcome.kind === 'rejected') return pack(MessageKind.outcome, outcome, NO_BLOBS);
  const objects = outcome.results.map((result) => result.kind === 'object');
  const blobs = outcome.results.flatMap((result) => (result.kind === 'object' ? [result.json] : []));
  const head: DoneHead = { kind: 'done', commitSeq: outcome.commitSeq, objects };
  return pack(MessageKind.outcome, head, blobs);
}

/** The objects in the outcome are views of `bytes`. */
export function decodeOutcome(bytes: Uint8Array): CommandOutcome {
  const { head, blobs } = unpack(MessageKind.outcome, bytes);
  const outcome = head as DoneHead | Extract<CommandOutcome, { kind: 'rejected' }>;
  if (outcome.kind === 'rejected') return outcome;
  let next = 0;
  const results = outcome.objects.map((isObject): OperationResult => {
    return isObject ? { kind: 'object', json: blobAt(blobs, next++) } : { kind: 'deleted' };
  });
  return { kind: 'done', commitSeq: outcome.commitSeq, results };
}

export function encodeReadRequest(request: ReadRequest): Uint8Array {
  return pack(MessageKind.readRequest, request, NO_BLOBS);
}

export function decodeReadRequest(bytes: Uint8Array): ReadRequest {
  return unpack(MessageKind.readRequest, bytes).head as ReadRequest;
}

export function encodeReadOutcome(outcome: ReadOutcome): Uint8Array {
  switch (outcome.kind) {
    case 'object':
      return pack(MessageKind.readOutcome, { kind: 'object', commitSeq: outcome.commitSeq }, [outcome.json]);
    case 'page':
      return pack(MessageKind.readOutcome, { kind: 'page', nextCursor: outcome.nextCursor }, outcome.objects);
    case 'absent':
    case 'rejected':
      return pack(MessageKind.readOutcome, outcome, NO_BLOBS);
  }
}

/** The objects in the outcome are views of `bytes`. */
export function decodeReadOutcome(bytes: Uint8Array): ReadOutcome {
  const { head, blobs } = unpack(MessageKind.readOutcome, bytes);
  const outcome = head as ReadOutcome;
  if (outcome.kind === 'object') return { ...outcome, json: blobAt(blobs, 0) };
  if (outcome.kind === 'page') return { ...outcome, objects: blobs };
  return outcome;
}

function blobAt(blobs: readonly Uint8Array[], index: number): Uint8Array {
  const blob = blobs[index];
  if (!blob) throw new CodecError(`message lacks blob ${index}`);
  return blob;
}
