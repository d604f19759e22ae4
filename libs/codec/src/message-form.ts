import type { CommitSeq } from '#contracts';
import { ByteReader } from './byte-reader';
import { ByteWriter, sizedLength } from './byte-writer';
import { CodecError } from './codec-error';
import { encodeUtf8 } from './utf8';

/** Version of all messages; FORMAT.md, "Messages". */
const MESSAGE_VERSION = 1;
export const MessageKind = {
  outcome: 1,
  readRequest: 2,
  readOutcome: 3,
  changeBatches: 4,
  scannedObjects: 5,
} as const;

/** One message: its head as JSON, then its blobs, each copied once. */
export function pack(kind: number, head: object, blobs: readonly Uint8Array[]): Uint8Array {
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

/** Takes a message apart; the blobs are views of `bytes`. */
export function unpack(kind: number, bytes: Uint8Array): { head: unknown; blobs: readonly Uint8Array[] } {
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

/** A head that says what it is in its `kind`; what else it has is what a node of this version wrote. */
export function kindOf(head: unknown): string {
  const kind = isObject(head) ? head['kind'] : undefined;
  if (typeof kind !== 'string') throw new CodecError('message head without its kind');
  return kind;
}

export function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list in a head, each of its items a list of at least `width` values. */
export function rowsOf(list: unknown, width: number): readonly (readonly unknown[])[] {
  const isRow = (row: unknown): boolean => Array.isArray(row) && row.length >= width;
  if (!Array.isArray(list) || !list.every(isRow)) throw new CodecError('message head of another form');
  return list as readonly (readonly unknown[])[];
}

/** A position in a head. */
export function positionOf(value: unknown): CommitSeq {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new CodecError('message with a position out of range');
  return value as CommitSeq;
}

function parseHead(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('message head is not JSON');
  }
}
