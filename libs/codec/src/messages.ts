import type { CommandOutcome, CommitSeq, OperationResult, ReadOutcome, ReadRequest } from '#contracts';
import { ByteReader } from './byte-reader';
import { ByteWriter, sizedLength } from './byte-writer';
import { CodecError } from './codec-error';
import { encodeUtf8 } from './utf8';

/** Version of the messages below; FORMAT.md, "Messages". */
const MESSAGE_VERSION = 1;
const MessageKind = { outcome: 1, readRequest: 2, readOutcome: 3 } as const;
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

/** The objects in the outcome are views of `bytes`. */
export function decodeOutcome(bytes: Uint8Array): CommandOutcome {
  const { head, blobs } = unpack(MessageKind.outcome, bytes);
  const outcome = head as DoneHead | Extract<CommandOutcome, { kind: 'rejected' }>;
  if (outcome.kind === 'rejected') return outcome;
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
  return unpack(MessageKind.readRequest, bytes).head as ReadRequest;
}

export function encodeReadOutcome(outcome: ReadOutcome): Uint8Array {
  switch (outcome.kind) {
    case 'object':
      return pack(MessageKind.readOutcome, { kind: 'object', commitSeq: outcome.commitSeq }, [outcome.json]);
    case 'page':
      return pack(MessageKind.readOutcome, { kind: 'page', nextCursor: outcome.nextCursor }, outcome.objects);
    case 'absent':
    case 'lease':
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

function pack(kind: number, head: object, blobs: readonly Uint8Array[]): Uint8Array {
  const headBytes = encodeUtf8(JSON.stringify(head));
  const total = blobs.reduce(
    (sum, blob) => sum + sizedLength(blob.length),
    2 + sizedLength(headBytes.length),
  );
  const writer = new ByteWriter(total);
  writer.u8(MESSAGE_VERSION);
  writer.u8(kind);
  writer.sized(headBytes);
  for (const blob of blobs) writer.sized(blob);
  return writer.finish();
}

function unpack(kind: number, bytes: Uint8Array): { head: unknown; blobs: readonly Uint8Array[] } {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== MESSAGE_VERSION) throw new CodecError(`message of unknown version ${version}`);
  const found = reader.u8();
  if (found !== kind) throw new CodecError(`message of kind ${found} where ${kind} is expected`);
  const head: unknown = parseHead(reader.string());
  const blobs: Uint8Array[] = [];
  while (reader.remaining > 0) blobs.push(reader.sized());
  return { head, blobs };
}

function parseHead(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('message head is not JSON');
  }
}

function blobAt(blobs: readonly Uint8Array[], index: number): Uint8Array {
  const blob = blobs[index];
  if (!blob) throw new CodecError(`message lacks blob ${index}`);
  return blob;
}
