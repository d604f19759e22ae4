import { ByteReader, ByteWriter, encodeUtf8, type PutView, type Span, allocate } from '#codec';
import { BODY_OFFSET_AT, writePutFields } from './change-row';

/** Makes the hex digest of `bytes`: pure, the same on every node. The server gives SHA-256. */
export type Digest = (bytes: Uint8Array) => string;

/** What the state decides about a new version of an object. */
export interface VersionFacts {
  readonly commitSeq: number;
  readonly createdSeq: number;
  readonly tsMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
  /** As in `ChangeRow`. */
  readonly prevCommitSeq: number;
  readonly endedSeq: number;
  readonly endedOperation: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = encodeUtf8('0123456789abcdef');
/** The letter after the backslash for control characters that have one, as `JSON.stringify` writes them. */
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
]);

const PIECES = {
  id: encodeUtf8('{"id":'),
  ns: encodeUtf8(',"ns":"'),
  type: encodeUtf8('","type":'),
  body: encodeUtf8(',"body":'),
  tags: encodeUtf8(',"tags":'),
  ttl: encodeUtf8(',"ttl_seconds":'),
  expires: encodeUtf8(',"expires_at":"'),
  parents: encodeUtf8(',"parents":'),
  quotedParents: encodeUtf8('","parents":'),
  commit: encodeUtf8(',"commit":"'),
  commitSeq: encodeUtf8('","commit_seq":'),
  createdSeq: encodeUtf8(',"created_seq":'),
  ts: encodeUtf8(',"ts":"'),
  end: encodeUtf8('"}'),
};

/**
 * Builds the rows of puts in memory of its own: the body's text goes from the command to the row as it is, and each row
 * is copied out once, at its exact size. The JSON has the keys and the order of the contract's section 3.
 */
export class ObjectRowBuilder {
  private readonly row = new ByteWriter(4096);
  private readonly content = new ByteWriter(4096);

  constructor(private readonly digest: Digest) {}

  /** `command` holds the operation; a namespace's name needs no escape in JSON. */
  build(command: Uint8Array, ns: string, put: PutView, facts: VersionFacts): Uint8Array {
    const { row } = this;
    row.reset();
    const labelBytes =
      put.type.end - put.type.start + lengthPrefixBytes(put.type) + put.tags.end - put.tags.start;
    writePutFields(row, {
      tsMs: facts.tsMs,
      prevCommitSeq: facts.prevCommitSeq,
      endedSeq: facts.endedSeq,
      endedOperation: facts.endedOperation,
      createdSeq: facts.createdSeq,
      expiresAtMs: facts.expiresAtMs,
      idBytes: put.id.end - put.id.start,
      labelBytes,
      bodyBytes: put.body.end - put.body.start,
    });
    row.copy(command, put.id.start, put.id.end);
    row.copy(command, put.type.start - lengthPrefixBytes(put.type), put.type.end);
    row.copy(command, put.tags.start, put.tags.end);
    const jsonStart = row.length;
    row.raw(PIECES.id);
    writeJsonString(row, command, put.id.start, put.id.end);
    row.raw(PIECES.ns);
    row.text(ns);
    row.raw(PIECES.type);
    writeJsonString(row, command, put.type.start, put.type.end);
    row.raw(PIECES.body);
    row.patchU32(BODY_OFFSET_AT, row.length - jsonStart);
    row.copy(command, put.body.start, put.body.end);
    row.raw(PIECES.tags);
    writeJsonTags(row, command, put.tags);
    if (put.ttlSeconds === undefined) {
      row.raw(PIECES.parents);
    } else {
      row.raw(PIECES.ttl);
      row.text(String(put.ttlSeconds));
      row.raw(PIECES.expires);
      row.text(formatTime(facts.expiresAtMs));
      row.raw(PIECES.quotedParents);
    }
    writeJsonList(row, command, put.parents);
    row.raw(PIECES.commit);
    row.text(this.contentDigest(command, ns, put));
    row.raw(PIECES.commitSeq);
    row.text(String(facts.commitSeq));
    row.raw(PIECES.createdSeq);
    row.text(String(facts.createdSeq));
    row.raw(PIECES.ts);
    row.text(formatTime(facts.tsMs));
    row.raw(PIECES.end);
    const built = row.view();
    const bytes = allocate(built.length);
    bytes.set(built);
    return bytes;
  }

  /** `commit`: over the namespace and the content section of FORMAT.md, which holds all but position and time. */
  private contentDigest(command: Uint8Array, ns: string, put: PutView): string {
    const { content } = this;
    content.reset();
    content.string(ns);
    content.copy(command, put.content.start, put.content.end);
    return this.digest(content.view());
  }
}

let formattedMs = 0;
let formatted = new Date(formattedMs).toISOString();

/** RFC 3339 in UTC with milliseconds. The last answer is kept, because many commands share a millisecond. */
export function formatTime(ms: number): string {
  if (ms !== formattedMs) {
    formatted = new Date(ms).toISOString();
    formattedMs = ms;
  }
  return formatted;
}

function lengthPrefixBytes(span: Span): number {
  return span.end - span.start < 0x80 ? 1 : 2;
}

function writeJsonTags(writer: ByteWriter, command: Uint8Array, tags: Span): void {
  const reader = new ByteReader(command, tags.start, tags.end);
  writer.u8(0x7b);
  for (let count = reader.varint(), first = true; count > 0; count--, first = false) {
    if (!first) writer.u8(0x2c);
    writeNextString(writer, reader);
    writer.u8(0x3a);
    writeNextString(writer, reader);
  }
  writer.u8(0x7d);
}

function writeJsonList(writer: ByteWriter, command: Uint8Array, strings: Span): void {
  const reader = new ByteReader(command, strings.start, strings.end);
  writer.u8(0x5b);
  for (let count = reader.varint(), first = true; count > 0; count--, first = false) {
    if (!first) writer.u8(0x2c);
    writeNextString(writer, reader);
  }
  writer.u8(0x5d);
}

function writeNextString(writer: ByteWriter, reader: ByteReader): void {
  const length = reader.varint();
  const start = reader.advance(length);
  writeJsonString(writer, reader.bytes, start, start + length);
}

/** Writes UTF-8 as a JSON string, escaping what RFC 8259 section 7 says must be: what `JSON.stringify` gives. */
export function writeJsonString(writer: ByteWriter, source: Uint8Array, start: number, end: number): void {
  writer.u8(QUOTE);
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = source[at] as number;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    writer.copy(source, from, at);
    from = at + 1;
    writeEscape(writer, byte);
  }
  writer.copy(source, from, end);
  writer.u8(QUOTE);
}

function writeEscape(writer: ByteWriter, byte: number): void {
  writer.u8(BACKSLASH);
  if (byte >= 0x20) return writer.u8(byte);
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) return writer.u8(short);
  writer.text('u00');
  writer.u8(HEX[byte >>> 4] as number);
  writer.u8(HEX[byte & 0x0f] as number);
}
