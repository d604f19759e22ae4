import { encodeUtf8 } from '#codec';
import type { ChangeEvent, CommitSeq } from '#contracts';
import { ChangeRow, encodeDeletion } from './change-row';
import { encodeCommit } from './commit-row';
import { CommittedChange } from './committed-change';
import { type Counters, readApplied } from './counters';
import { ChangeKind, ExpiryKind, NO_VALUE } from './format';
import { encodeFieldIndexes, type FieldIndex, readFieldIndexes } from './fields/field-indexes';
import { changeFieldRows } from './fields/field-rows';
import { encodeHead, type HeadRow, readLabelBytes } from './head-row';
import {
  changeKey,
  commitKey,
  expiryKey,
  fieldIndexesKey,
  namespaceKey,
  namespaceNameKey,
  tagKey,
  typeKey,
  versionKey,
} from './keys';
import { encodeNamespace, type NamespaceRow, readNamespace, readNamespaceName } from './namespaces';
import { Overlay } from './overlay';
import type { StateBug } from './state-bug';
import type { StateReader } from './state-reader';
import { encodeVersionEntry } from './version-index';

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** A namespace while a batch changes it; written once, at the end of the batch. */
export interface OpenNamespace extends Mutable<NamespaceRow> {
  readonly name: string;
  /** Once they were asked for. */
  fieldIndexes?: readonly FieldIndex[];
}

/** Where a change stands: in which namespace, at which position, which operation of its command, when. */
export interface ChangePlace {
  readonly ns: OpenNamespace;
  readonly seq: CommitSeq;
  readonly operation: number;
  readonly tsMs: number;
  /** The namespace's change before this command. */
  readonly prevCommitSeq: CommitSeq;
}

/** The state as the commands of one batch see and change it, with the rules that keep its tables in step. */
export class BatchState {
  readonly rows: Overlay;
  readonly counters: Mutable<Counters>;
  /** Whether a command changed what a namespace is to this group. */
  tenanciesChanged = false;
  private readonly namespaces = new Map<string, OpenNamespace>();

  constructor(
    reader: StateReader,
    private readonly plantedBug?: StateBug,
  ) {
    this.rows = new Overlay(reader);
    this.counters = { ...readApplied(reader) };
  }

  hasBug(bug: StateBug): boolean {
    return this.plantedBug === bug;
  }

  namespace(name: string): OpenNamespace | undefined {
    const open = this.namespaces.get(name);
    if (open) return open;
    const row = readNamespace(this.rows, name);
    if (!row) return undefined;
    const namespace = { name, ...row };
    this.namespaces.set(name, namespace);
    return namespace;
  }

  namespaceByNumber(number: number): OpenNamespace {
    const namespace = this.namespace(readNamespaceName(this.rows, number));
    if (!namespace) throw new Error(`namespace ${number} has a name but no row`);
    return namespace;
  }

  createNamespace(name: string): OpenNamespace {
    const number = this.counters.nextNamespace++;
    const none = 0 as CommitSeq;
    const namespace: OpenNamespace = {
      name,
      number,
      commitSeq: none,
      compactedThrough: none,
      objects: 0,
      bytes: 0,
      changes: 0,
    };
    this.namespaces.set(name, namespace);
    this.rows.put(namespaceNameKey(number), encodeUtf8(name));
    return namespace;
  }

  /** A namespace's indexes of places in bodies. */
  fieldIndexes(ns: OpenNamespace): readonly FieldIndex[] {
    return (ns.fieldIndexes ??= readFieldIndexes(this.rows, ns.number));
  }

  setFieldIndexes(ns: OpenNamespace, indexes: readonly FieldIndex[]): void {
    ns.fieldIndexes = indexes;
    const key = fieldIndexesKey(ns.number);
    if (indexes.length === 0) this.rows.delete(key);
    else this.rows.put(key, encodeFieldIndexes(indexes));
  }

  /** Forgets a namespace none of whose rows are left. A later one of its name gets a number of its own. */
  dropNamespace({ name, number }: OpenNamespace): void {
    this.namespaces.delete(name);
    this.rows.delete(namespaceKey(name));
    this.rows.delete(namespaceNameKey(number));
  }

  /** Puts a new version, whose row is `version`, in the place of `previous`. */
  putObject(
    place: ChangePlace,
    key: Uint8Array,
    id: Uint8Array,
    version: ChangeRow,
    previous?: HeadRow,
  ): ChangeEvent {
    const { ns, seq, operation } = place;
    if (previous) this.endVersion(ns, id, previous);
    const { labels, json, createdSeq, expiresAtMs } = version;
    const jsonBytes = json.length;
    const head = { commitSeq: seq, operation, createdSeq, expiresAtMs, jsonBytes };
    this.rows.put(key, encodeHead(head, labels));
    this.rows.put(changeKey(ns.number, seq, operation), version.row);
    if (expiresAtMs !== 0) this.rows.put(expiryKey(expiresAtMs, ExpiryKind.object, ns.number, id), NO_VALUE);
    const labelsBefore = previous?.labels;
    if (!labelsBefore || !equalBytes(labelsBefore, labels)) {
      if (labelsBefore) this.changeIndexRows(ns.number, id, labelsBefore, 'delete');
      this.changeIndexRows(ns.number, id, labels, 'put');
    }
    this.followFields(ns, id, previous, version);
    ns.objects += 1;
    ns.bytes += jsonBytes;
    return new CommittedChange(id, labels, json);
  }

  deleteObject(
    place: ChangePlace,
    key: Uint8Array,
    id: Uint8Array,
    previous: HeadRow,
    reason: 'delete' | 'expired',
  ): ChangeEvent {
    const { ns, seq, operation, tsMs, prevCommitSeq } = place;
    const { labels } = previous;
    this.endVersion(ns, id, previous);
    this.rows.delete(key);
    const kind = reason === 'expired' ? ChangeKind.expired : ChangeKind.deleted;
    this.rows.put(versionKey(ns.number, id, seq), encodeVersionEntry({ kind, operation }));
    const change = {
      kind,
      tsMs,
      prevCommitSeq,
      endedSeq: previous.commitSeq,
      endedOperation: previous.operation,
      idBytes: id.length,
      labelBytes: labels.length,
    };
    this.rows.put(changeKey(ns.number, seq, operation), encodeDeletion(change, id, labels));
    this.changeIndexRows(ns.number, id, labels, 'delete');
    this.followFields(ns, id, previous, undefined);
    return new CommittedChange(id, labels, reason);
  }

  /** Gives the position out: called once for each namespace that a command changed. */
  commit(ns: OpenNamespace, seq: CommitSeq, tsMs: number, changes: number): void {
    ns.commitSeq = seq;
    ns.changes += changes;
    this.counters.commitSeq = seq;
    this.rows.put(commitKey(seq, ns.number), encodeCommit({ tsMs, changes }));
  }

  /** Writes out the namespaces that the batch opened. */
  closeNamespaces(): void {
    for (const namespace of this.namespaces.values()) {
      this.rows.put(namespaceKey(namespace.name), encodeNamespace(namespace));
    }
  }

  /** Takes a version out of what is live; its row stays where it is, for the history. */
  private endVersion(ns: OpenNamespace, id: Uint8Array, previous: HeadRow): void {
    const { commitSeq, operation } = previous;
    const entry = encodeVersionEntry({ kind: ChangeKind.put, operation });
    this.rows.put(versionKey(ns.number, id, commitSeq), entry);
    if (previous.expiresAtMs !== 0)
      this.rows.delete(expiryKey(previous.expiresAtMs, ExpiryKind.object, ns.number, id));
    ns.objects -= 1;
    ns.bytes -= previous.jsonBytes;
  }

  /** The version before is read for what it was indexed by: its rows say nothing of it, and few namespaces need it. */
  private followFields(
    ns: OpenNamespace,
    id: Uint8Array,
    previous: HeadRow | undefined,
    after: ChangeRow | undefined,
  ): void {
    const indexes = this.fieldIndexes(ns);
    if (indexes.length === 0) return;
    const row = previous && this.rows.get(changeKey(ns.number, previous.commitSeq, previous.operation));
    if (previous && !row)
      throw new Error(`the version at ${previous.commitSeq} that a head names is missing`);
    const isLeft = after !== undefined && this.hasBug('leaveReplacedFieldRow');
    const before = row && !isLeft ? new ChangeRow(row) : undefined;
    changeFieldRows({ rows: this.rows, ns: ns.number, id }, indexes, before, after);
  }

  private changeIndexRows(ns: number, id: Uint8Array, labels: Uint8Array, change: 'put' | 'delete'): void {
    const { type, tags } = readLabelBytes(labels);
    this.changeIndexRow(typeKey(ns, type, id), change);
    for (const [key, value] of tags) this.changeIndexRow(tagKey(ns, key, value, id), change);
  }

  private changeIndexRow(key: Uint8Array, change: 'put' | 'delete'): void {
    if (change === 'put') this.rows.put(key, NO_VALUE);
    else this.rows.delete(key);
  }
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
