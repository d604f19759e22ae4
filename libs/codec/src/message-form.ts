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

function parseHead(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('message head is not JSON');
  }
}
