import {
  groupId,
  type BuildCommand,
  type Command,
  type CommitSeq,
  type EraseCommand,
  type IndexesCommand,
  type LeaseCommand,
  type Operation,
  type SnapshotCommand,
  type Tags,
  type TenancyState,
} from '#contracts';
import { ByteReader } from './byte-reader';
import { CodecError } from './codec-error';
import {
  COMMAND_HEADER_BYTES,
  COMMAND_VERSION,
  CommandFlag,
  CommandKind,
  OperationFlag,
  OperationKind,
  PatchFormat,
  STAMP_OFFSET,
  TenancyCode,
} from './command-format';
import { type Guards, readGuards } from './command-guards';
import { readLease } from './lease-command';
import { decodeUtf8 } from './utf8';

/** Bytes `start` (inclusive) to `end` (exclusive) of a command. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A put whose texts stay where they are in the command's bytes. */
export interface PutView {
  readonly op: 'put';
  readonly ifMatch: number | undefined;
  readonly ifNoneMatch: boolean;
  readonly id: Span;
  readonly type: Span;
  readonly ttlSeconds: number | undefined;
  /** Count, then key and value of each, in the keys' bytewise order: FORMAT.md, "Tags". */
  readonly tags: Span;
  /** Count, then each parent. */
  readonly parents: Span;
  /** The body's JSON text. */
  readonly body: Span;
  /** From id to body: what FORMAT.md calls the content section. */
  readonly content: Span;
}

export interface DeleteView {
  readonly op: 'delete';
  readonly ifMatch: number | undefined;
  readonly ifNoneMatch: boolean;
  readonly id: Span;
}

export interface PatchView {
  readonly op: 'patch';
  readonly ifMatch: number | undefined;
  readonly ifNoneMatch: boolean;
  readonly id: Span;
  readonly format: 'merge' | 'json';
  readonly limitBytes: number;
  /** The patch's JSON text. */
  readonly patch: Span;
}

export interface CheckView {
  readonly op: 'check';
  readonly ifMatch: number | undefined;
  readonly ifNoneMatch: boolean;
  readonly id: Span;
}

export type OperationView = PutView | DeleteView | PatchView | CheckView;

/** A command as apply reads it: nothing is decoded that applying may not need. */
export type CommandView =
  | (Guards & {
      readonly kind: 'write';
      readonly tsMs: number;
      readonly ns: string;
      readonly bytes: Uint8Array;
      readonly operations: readonly OperationView[];
    })
  | (LeaseCommand & { readonly tsMs: number })
  | { readonly kind: 'expire'; readonly tsMs: number; readonly limit: number }
  | {
      readonly kind: 'compact';
      readonly tsMs: number;
      readonly retentionMs: number;
      readonly retentionCommits: number;
      readonly limit: number;
    }
  | {
      readonly kind: 'tenancy';
      readonly tsMs: number;
      readonly ns: string;
      readonly generation: number;
      readonly state: TenancyState;
      readonly seqFloor: CommitSeq;
    }
  | {
      readonly kind: 'import';
      readonly tsMs: number;
      readonly ns: string;
      readonly generation: number;
      readonly rows: Uint8Array;
    }
  | (EraseCommand & { readonly tsMs: number })
  | { readonly kind: 'snapshot'; readonly tsMs: number; readonly command: SnapshotCommand }
  | (IndexesCommand & { readonly tsMs: number })
  | (BuildCommand & { readonly tsMs: number });

/** Guards that a kind of command may have. */
const KNOWN_FLAGS: Readonly<Record<number, number>> = {
  [CommandKind.write]: CommandFlag.idempotency | CommandFlag.fence,
  [CommandKind.lease]: CommandFlag.idempotency,
};

/** Reads a command without decoding its texts. Throws {@link CodecError} on what this version does not know. */
export function viewCommand(bytes: Uint8Array): CommandView {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== COMMAND_VERSION)
    throw new CodecError(`command of version ${version}: a newer program wrote it`);
  const kind = reader.u8();
  const tsMs = reader.u48();
  const flags = reader.u8();
  const known = KNOWN_FLAGS[kind] ?? 0;
  refuseExtensions(flags, flags & CommandFlag.extensions, flags & ~known, reader);
  const guards = readGuards(flags, reader);
  let view: CommandView;
  if (kind === CommandKind.write) {
    const ns = reader.string();
    const operations: OperationView[] = [];
    for (let count = reader.varint(); count > 0; count--) operations.push(viewOperation(reader));
    const { idempotency, fence } = guards;
    view = { kind: 'write', tsMs, ns, bytes, operations, idempotency, fence };
  } else if (kind === CommandKind.lease) {
    const { idempotency } = guards;
    view = { kind: 'lease', tsMs, ...readLease(reader), ...(idempotency ? { idempotency } : {}) };
  } else if (kind === CommandKind.expire) {
    view = { kind: 'expire', tsMs, limit: reader.varint() };
  } else if (kind === CommandKind.compact) {
    const retentionMs = reader.varint();
    const retentionCommits = reader.varint();
    view = { kind: 'compact', tsMs, retentionMs, retentionCommits, limit: reader.varint() };
  } else if (kind === CommandKind.tenancy) {
    const ns = reader.string();
    const generation = reader.varint();
    const state = tenancyState(reader.u8());
    view = { kind: 'tenancy', tsMs, ns, generation, state, seqFloor: reader.varint() as CommitSeq };
  } else if (kind === CommandKind.import) {
    const ns = reader.string();
    const generation = reader.varint();
    view = { kind: 'import', tsMs, ns, generation, rows: reader.sized() };
  } else if (kind === CommandKind.erase) {
    view = { kind: 'erase', tsMs, ns: reader.string(), limit: reader.varint() };
  } else if (kind === CommandKind.eraseFrom) {
    const ns = reader.string();
    const limit = reader.varint();
    view = { kind: 'erase', tsMs, ns, limit, from: { table: reader.u8(), rest: reader.sized() } };
  } else if (kind === CommandKind.snapshot) {
    view = { kind: 'snapshot', tsMs, command: readSnapshot(reader) };
  } else if (kind === CommandKind.indexes) {
    view = { ...readIndexes(reader), tsMs };
  } else if (kind === CommandKind.build) {
    const ns = reader.string();
    const limit = reader.varint();
    view = { kind: 'build', tsMs, ns, limit, limitBytes: reader.varint() };
  } else {
    throw new CodecError(`command of unknown kind ${kind}`);
  }
  reader.expectEnd('a command');
  return view;
}

/**
 * The namespace of a command on one namespace, and whether clients send its kind; `undefined` for a command on the
 * whole group. All that a leader has to know of a command to tell whether its group may take it.
 */
export function commandNamespace(
  bytes: Uint8Array,
): { readonly ns: string; readonly isWrite: boolean } | undefined {
  const kind = bytes[1];
  if (kind === CommandKind.expire || kind === CommandKind.compact || kind === CommandKind.snapshot)
    return undefined;
  const reader = new ByteReader(bytes, COMMAND_HEADER_BYTES);
  readGuards(reader.u8(), reader);
  const isWrite = kind === CommandKind.write || kind === CommandKind.lease;
  return { ns: reader.string(), isWrite };
}

/** The proposal time of a command, in milliseconds since 1970. */
export function commandTime(bytes: Uint8Array): number {
  return new ByteReader(bytes, STAMP_OFFSET, COMMAND_HEADER_BYTES).u48();
}

/** The inverse of `encodeCommand`. Throws {@link CodecError} on what this version does not know. */
export function decodeCommand(bytes: Uint8Array): { readonly command: Command; readonly tsMs: number } {
  const view = viewCommand(bytes);
  const { tsMs } = view;
  switch (view.kind) {
    case 'write': {
      const operations = view.operations.map((operation) => decodeOperation(bytes, operation));
      const { ns, idempotency, fence } = view;
      const guards = { ...(idempotency ? { idempotency } : {}), ...(fence ? { fence } : {}) };
      return { command: { kind: 'write', ns, operations, ...guards }, tsMs };
    }
    case 'lease': {
      const { ns, action, key, owner, token, ttlMs, idempotency } = view;
      const command: LeaseCommand = {
        kind: 'lease',
        ns,
        action,
        key,
        owner,
        ...(token === undefined ? {} : { token }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(idempotency ? { idempotency } : {}),
      };
      return { command, tsMs };
    }
    case 'expire':
      return { command: { kind: 'expire', limit: view.limit }, tsMs };
    case 'compact': {
      const { retentionMs, retentionCommits, limit } = view;
      return { command: { kind: 'compact', retentionMs, retentionCommits, limit }, tsMs };
    }
    case 'tenancy': {
      const { ns, generation, state, seqFloor } = view;
      return { command: { kind: 'tenancy', ns, generation, state, seqFloor }, tsMs };
    }
    case 'import':
      return {
        command: { kind: 'import', ns: view.ns, generation: view.generation, rows: view.rows },
        tsMs,
      };
    case 'erase': {
      const { ns, limit, from } = view;
      return { command: { kind: 'erase', ns, limit, ...(from === undefined ? {} : { from }) }, tsMs };
    }
    case 'snapshot':
      return { command: view.command, tsMs };
    case 'indexes':
      return { command: { kind: 'indexes', ns: view.ns, paths: view.paths }, tsMs };
    case 'build': {
      const { ns, limit, limitBytes } = view;
      return { command: { kind: 'build', ns, limit, limitBytes }, tsMs };
    }
  }
}

function readSnapshot(reader: ByteReader): SnapshotCommand {
  const snapshotId = reader.string();
  const createdMs = reader.u48();
  const groups: SnapshotCommand['groups'][number][] = [];
  for (let count = reader.varint(); count > 0; count--) {
    const group = reader.varint();
    if (group > 0xffff_ffff) throw new CodecError(`group ${group} is out of range`);
    groups.push(groupId(group));
  }
  return { kind: 'snapshot', snapshotId, createdMs, groups };
}

function readIndexes(reader: ByteReader): IndexesCommand {
  const ns = reader.string();
  const paths: string[] = [];
  for (let count = reader.varint(); count > 0; count--) paths.push(reader.string());
  return { kind: 'indexes', ns, paths };
}

function tenancyState(code: number): TenancyState {
  for (const [state, known] of Object.entries(TenancyCode)) if (known === code) return state as TenancyState;
  throw new CodecError(`unknown tenancy ${code}`);
}

/** Reads a tags section. The object has no prototype: a key may be `__proto__`. */
export function readTags(reader: ByteReader): Tags {
  const tags = Object.create(null) as Record<string, string>;
  for (let count = reader.varint(); count > 0; count--) {
    const key = reader.string();
    tags[key] = reader.string();
  }
  return tags;
}

function viewOperation(reader: ByteReader): OperationView {
  const kind = reader.u8();
  const flags = reader.u8();
  const known = OperationFlag.ifMatch | OperationFlag.ifNoneMatch;
  const ifMatch = flags & OperationFlag.ifMatch ? reader.varint() : undefined;
  const ifNoneMatch = (flags & OperationFlag.ifNoneMatch) !== 0;
  refuseExtensions(flags, flags & OperationFlag.extensions, flags & ~known, reader);
  const contentStart = reader.position;
  const id = skipSized(reader);
  if (kind === OperationKind.delete) return { op: 'delete', ifMatch, ifNoneMatch, id };
  if (kind === OperationKind.check) return { op: 'check', ifMatch, ifNoneMatch, id };
  if (kind === OperationKind.patch) {
    const format = patchFormat(reader.u8());
    const limitBytes = reader.varint();
    return { op: 'patch', ifMatch, ifNoneMatch, id, format, limitBytes, patch: skipSized(reader) };
  }
  if (kind !== OperationKind.put) throw new CodecError(`operation of unknown kind ${kind}`);
  const type = skipSized(reader);
  const timeToLive = reader.varint();
  const tags = skipList(reader, 2);
  const parents = skipList(reader, 1);
  const body = skipSized(reader);
  const content = { start: contentStart, end: reader.position };
  const ttlSeconds = timeToLive === 0 ? undefined : timeToLive - 1;
  return { op: 'put', ifMatch, ifNoneMatch, id, type, ttlSeconds, tags, parents, body, content };
}

function patchFormat(number: number): 'merge' | 'json' {
  if (number === PatchFormat.merge) return 'merge';
  if (number === PatchFormat.json) return 'json';
  throw new CodecError(`patch of unknown format ${number}`);
}

/**
 * A flag or an extension that is not known changes what the command means; passing over it would make replicas
 * of different versions differ, so it is refused by name.
 */
function refuseExtensions(flags: number, extensions: number, unknown: number, reader: ByteReader): void {
  if (unknown === 0) return;
  if (extensions === 0 || unknown !== extensions)
    throw new CodecError(`unknown flags 0x${flags.toString(16)}`);
  const block = new ByteReader(reader.sized());
  while (block.remaining > 0) throw new CodecError(`unknown extension ${block.varint()}`);
}

function skipSized(reader: ByteReader): Span {
  const length = reader.varint();
  const start = reader.advance(length);
  return { start, end: start + length };
}

function skipList(reader: ByteReader, stringsEach: number): Span {
  const start = reader.position;
  for (let count = reader.varint() * stringsEach; count > 0; count--) reader.advance(reader.varint());
  return { start, end: reader.position };
}

function decodeOperation(bytes: Uint8Array, view: OperationView): Operation {
  const id = decodeUtf8(bytes, view.id.start, view.id.end);
  const conditions = {
    ...(view.ifMatch === undefined ? {} : { ifMatch: view.ifMatch as CommitSeq }),
    ...(view.ifNoneMatch ? { ifNoneMatch: true } : {}),
  };
  if (view.op === 'delete' || view.op === 'check') return { op: view.op, id, ...conditions };
  if (view.op === 'patch') {
    const { format, limitBytes, patch } = view;
    const patchJson = decodeUtf8(bytes, patch.start, patch.end);
    return { op: 'patch', id, ...conditions, format, patchJson, limitBytes };
  }
  const parents: string[] = [];
  const reader = new ByteReader(bytes, view.parents.start, view.parents.end);
  for (let count = reader.varint(); count > 0; count--) parents.push(reader.string());
  return {
    op: 'put',
    id,
    ...conditions,
    type: decodeUtf8(bytes, view.type.start, view.type.end),
    bodyJson: decodeUtf8(bytes, view.body.start, view.body.end),
    tags: readTags(new ByteReader(bytes, view.tags.start, view.tags.end)),
    ...(view.ttlSeconds === undefined ? {} : { ttlSeconds: view.ttlSeconds }),
    parents,
  };
}
