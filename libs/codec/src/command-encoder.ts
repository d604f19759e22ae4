import type {
  Command,
  IndexesCommand,
  LeaseCommand,
  Operation,
  PutOperation,
  SnapshotCommand,
  Tags,
  WriteCommand,
} from '#contracts';
import { ByteWriter, sizedLength, varintLength } from './byte-writer';
import {
  COMMAND_HEADER_BYTES,
  COMMAND_VERSION,
  CommandKind,
  OperationFlag,
  OperationKind,
  PatchFormat,
  STAMP_OFFSET,
  TenancyCode,
} from './command-format';
import { guardFlags, type Guards, guardsLength, writeGuards } from './command-guards';
import { leaseLength, writeLease } from './lease-command';
import { compareUtf8, utf8Length } from './utf8';

/**
 * Encodes a command once for the log, the peers and apply; layout in FORMAT.md. Strings must be well-formed and
 * numbers whole. `tsMs` is the proposer's clock in milliseconds since 1970; see {@link stampCommand}.
 */
export function encodeCommand(command: Command, tsMs: number): Uint8Array {
  switch (command.kind) {
    case 'write':
      return encodeWrite(command, tsMs);
    case 'lease':
      return encodeLease(command, tsMs);
    case 'expire': {
      const writer = begin(CommandKind.expire, tsMs, 1 + varintLength(command.limit));
      writer.varint(command.limit);
      return writer.finish();
    }
    case 'compact': {
      const { retentionMs, retentionCommits, limit } = command;
      const bodyBytes = 1 + varintLength(retentionMs) + varintLength(retentionCommits) + varintLength(limit);
      const writer = begin(CommandKind.compact, tsMs, bodyBytes);
      writer.varint(retentionMs);
      writer.varint(retentionCommits);
      writer.varint(limit);
      return writer.finish();
    }
    case 'tenancy': {
      const { ns, generation, state, seqFloor } = command;
      const bodyBytes = 2 + sizedLength(ns.length) + varintLength(generation) + varintLength(seqFloor);
      const writer = begin(CommandKind.tenancy, tsMs, bodyBytes);
      writer.string(ns);
      writer.varint(generation);
      writer.u8(TenancyCode[state]);
      writer.varint(seqFloor);
      return writer.finish();
    }
    case 'import': {
      const { ns, generation, rows } = command;
      const bodyBytes = 1 + sizedLength(ns.length) + varintLength(generation) + sizedLength(rows.length);
      const writer = begin(CommandKind.import, tsMs, bodyBytes);
      writer.string(ns);
      writer.varint(generation);
      writer.sized(rows);
      return writer.finish();
    }
    case 'erase': {
      const { ns, limit, from } = command;
      const placeBytes = from === undefined ? 0 : 1 + sizedLength(from.rest.length);
      const bodyBytes = 1 + sizedLength(ns.length) + varintLength(limit) + placeBytes;
      const kind = from === undefined ? CommandKind.erase : CommandKind.eraseFrom;
      const writer = begin(kind, tsMs, bodyBytes);
      writer.string(ns);
      writer.varint(limit);
      if (from !== undefined) {
        writer.u8(from.table);
        writer.sized(from.rest);
      }
      return writer.finish();
    }
    case 'snapshot':
      return encodeSnapshot(command, tsMs);
    case 'indexes':
      return encodeIndexes(command, tsMs);
    case 'build': {
      const { ns, limit, limitBytes } = command;
      const bodyBytes = 1 + sizedLength(ns.length) + varintLength(limit) + varintLength(limitBytes);
      const writer = begin(CommandKind.build, tsMs, bodyBytes);
      writer.string(ns);
      writer.varint(limit);
      writer.varint(limitBytes);
      return writer.finish();
    }
  }
}

function encodeIndexes({ ns, paths }: IndexesCommand, tsMs: number): Uint8Array {
  let bodyBytes = 1 + sizedLength(ns.length) + varintLength(paths.length);
  for (const path of paths) bodyBytes += stringLength(path);
  const writer = begin(CommandKind.indexes, tsMs, bodyBytes);
  writer.string(ns);
  writer.varint(paths.length);
  for (const path of paths) writer.string(path);
  return writer.finish();
}

function encodeSnapshot({ snapshotId, createdMs, groups }: SnapshotCommand, tsMs: number): Uint8Array {
  let bodyBytes = 1 + stringLength(snapshotId) + 6 + varintLength(groups.length);
  for (const group of groups) bodyBytes += varintLength(group);
  const writer = begin(CommandKind.snapshot, tsMs, bodyBytes);
  writer.string(snapshotId);
  writer.u48(createdMs);
  writer.varint(groups.length);
  for (const group of groups) writer.varint(group);
  return writer.finish();
}

/** Sets the proposal time in place. Only before the bytes are handed to the log: nobody writes to them afterwards. */
export function stampCommand(bytes: Uint8Array, tsMs: number): void {
  const writer = new ByteWriter(6);
  writer.u48(tsMs);
  bytes.set(writer.finish(), STAMP_OFFSET);
}

const NO_GUARDS: Guards = {};

/** Header, flags and guards; `bodyBytes` counts the flags and what follows, but not the guards. */
function begin(kind: number, tsMs: number, bodyBytes: number, guards: Guards = NO_GUARDS): ByteWriter {
  const writer = new ByteWriter(COMMAND_HEADER_BYTES + bodyBytes + guardsLength(guards));
  writer.u8(COMMAND_VERSION);
  writer.u8(kind);
  writer.u48(tsMs);
  writer.u8(guardFlags(guards));
  writeGuards(writer, guards);
  return writer;
}

function encodeLease(command: LeaseCommand, tsMs: number): Uint8Array {
  const writer = begin(CommandKind.lease, tsMs, 1 + leaseLength(command), command);
  writeLease(writer, command);
  return writer.finish();
}

/** What sizing an operation finds out and writing it needs again. */
interface Sized {
  readonly operation: Operation;
  readonly bodyBytes: number;
  readonly tagKeys: readonly string[];
}

function encodeWrite(command: WriteCommand, tsMs: number): Uint8Array {
  const { ns, operations } = command;
  let bytes = 1 + sizedLength(ns.length) + varintLength(operations.length);
  const sized: Sized[] = [];
  for (const operation of operations) {
    const tagKeys = operation.op === 'put' ? sortedKeys(operation.tags) : [];
    const bodyBytes = utf8Length(jsonOf(operation));
    sized.push({ operation, bodyBytes, tagKeys });
    bytes += operationLength(operation, bodyBytes, tagKeys);
  }
  const writer = begin(CommandKind.write, tsMs, bytes, command);
  writer.string(ns);
  writer.varint(operations.length);
  for (const one of sized) writeOperation(writer, one);
  return writer.finish();
}

function operationLength(operation: Operation, bodyBytes: number, tagKeys: readonly string[]): number {
  const { ifMatch } = operation;
  const head = 2 + (ifMatch === undefined ? 0 : varintLength(ifMatch)) + stringLength(operation.id);
  switch (operation.op) {
    case 'put':
      return head + putLength(operation, bodyBytes, tagKeys);
    case 'patch':
      return head + 1 + varintLength(operation.limitBytes) + sizedLength(bodyBytes);
    case 'delete':
    case 'check':
      return head;
  }
}

/** The one long text of an operation. */
function jsonOf(operation: Operation): string {
  if (operation.op === 'put') return operation.bodyJson;
  return operation.op === 'patch' ? operation.patchJson : '';
}

function putLength(operation: PutOperation, bodyBytes: number, tagKeys: readonly string[]): number {
  let bytes =
    stringLength(operation.type) + varintLength(timeToLive(operation)) + varintLength(tagKeys.length);
  for (const key of tagKeys) bytes += stringLength(key) + stringLength(operation.tags[key] as string);
  bytes += varintLength(operation.parents.length);
  for (const parent of operation.parents) bytes += stringLength(parent);
  return bytes + sizedLength(bodyBytes);
}

function writeOperation(writer: ByteWriter, sized: Sized): void {
  const { operation, bodyBytes, tagKeys } = sized;
  const { ifMatch, ifNoneMatch } = operation;
  writer.u8(OperationKind[operation.op]);
  writer.u8(
    (ifMatch === undefined ? 0 : OperationFlag.ifMatch) | (ifNoneMatch ? OperationFlag.ifNoneMatch : 0),
  );
  if (ifMatch !== undefined) writer.varint(ifMatch);
  writer.string(operation.id);
  if (operation.op === 'delete' || operation.op === 'check') return;
  if (operation.op === 'patch') {
    writer.u8(PatchFormat[operation.format]);
    writer.varint(operation.limitBytes);
    writer.string(operation.patchJson, bodyBytes);
    return;
  }
  writer.string(operation.type);
  writer.varint(timeToLive(operation));
  writer.varint(tagKeys.length);
  for (const key of tagKeys) {
    writer.string(key);
    writer.string(operation.tags[key] as string);
  }
  writer.varint(operation.parents.length);
  for (const parent of operation.parents) writer.string(parent);
  writer.string(operation.bodyJson, bodyBytes);
}

/** 0 stands for "lives for ever". */
function timeToLive(operation: PutOperation): number {
  return operation.ttlSeconds === undefined ? 0 : operation.ttlSeconds + 1;
}

/** One order for equal tags, so that equal content has equal bytes and an equal digest. */
function sortedKeys(tags: Tags): string[] {
  const keys = Object.keys(tags);
  return keys.length > 1 ? keys.sort(compareUtf8) : keys;
}

function stringLength(text: string): number {
  return sizedLength(utf8Length(text));
}
