import { decodeUtf8, type PatchView, utf8Length } from '#codec';
import {
  type CommitSeq,
  type ErrorCode,
  type ErrorExtras,
  type FieldError,
  LIMITS,
  type PutOperation,
  type Tags,
} from '#contracts';
import type { ChangeRow } from '../change-row';
import { readLabels } from '../head-row';
import { whyNotATimeToLive, whyNotAType, whyNotTags } from '../object-rules';
import { applyJsonPatch } from './apply-json-patch';
import { isJsonObject, type JsonObject, memberOf, setMember } from './json-members';
import { parseJsonPatch } from './json-patch';
import { mergePatch } from './merge-patch';

export type PatchedObject =
  | { readonly kind: 'patched'; readonly put: PutOperation }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly extras?: ErrorExtras;
    };

/** What a patch sees and may change of an object; the order of keys is that of the answers. */
const MEMBERS: ReadonlySet<string> = new Set(['type', 'body', 'tags', 'ttl_seconds']);

/**
 * The version that a patch makes of the one in `row`, as the put that it comes to. Its time to live begins anew, as
 * with every write; its parents stay. `command` holds the patch's text.
 */
export function patchObject(
  { commitSeq, row }: { readonly commitSeq: CommitSeq; readonly row: ChangeRow },
  id: string,
  command: Uint8Array,
  view: PatchView,
): PatchedObject {
  const patch: unknown = JSON.parse(decodeUtf8(command, view.patch.start, view.patch.end));
  const current = readObject(row);
  const changed = view.format === 'merge' ? merged(current, patch) : patched(current, patch, commitSeq);
  if (changed.kind === 'refused') return changed;
  const { document } = changed;
  const errors = faultsOf(document);
  if (errors.length > 0) {
    const faults = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    return refused('invalid_request', `the patched object is not valid: ${faults}`, { errors });
  }
  return makePut(id, document as JsonObject, current.parents, view.limitBytes);
}

/** An object's current version, its body left as text until it is needed. */
interface CurrentObject {
  readonly type: string;
  readonly tags: Tags;
  readonly ttlSeconds: number | undefined;
  readonly bodyJson: string;
  readonly parents: readonly string[];
}

/** A body that the patch does not touch: its text goes into the new version as it is. */
class UntouchedBody {
  constructor(readonly json: string) {}
}

type Changed = { readonly kind: 'changed'; readonly document: unknown } | Refused;
type Refused = Extract<PatchedObject, { kind: 'refused' }>;

function readObject({ json, body, labels }: ChangeRow): CurrentObject {
  const { type, tags } = readLabels(labels);
  // What follows the body is `,"tags":…}`: an object when its comma is taken for the opening brace.
  const rest = JSON.parse(`{${decodeUtf8(json, body.end + 1)}`) as {
    readonly ttl_seconds?: number;
    readonly parents: readonly string[];
  };
  const bodyJson = decodeUtf8(json, body.start, body.end);
  return { type, tags, ttlSeconds: rest.ttl_seconds, bodyJson, parents: rest.parents };
}

function documentOf({ type, tags, ttlSeconds }: CurrentObject, body: unknown): JsonObject {
  const copied: JsonObject = {};
  for (const key of Object.keys(tags)) setMember(copied, key, tags[key]);
  return { type, body, tags: copied, ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }) };
}

function merged(current: CurrentObject, patch: unknown): Changed {
  const touchesBody = isJsonObject(patch) && Object.hasOwn(patch, 'body');
  const body: unknown = touchesBody ? JSON.parse(current.bodyJson) : new UntouchedBody(current.bodyJson);
  return { kind: 'changed', document: mergePatch(documentOf(current, body), patch) };
}

function patched(current: CurrentObject, patch: unknown, commitSeq: CommitSeq): Changed {
  const parsed = parseJsonPatch(patch);
  if (parsed.kind === 'malformed') {
    const { error } = parsed;
    return refused('invalid_request', `${error.field}: ${error.reason}`, { errors: [error] });
  }
  const result = applyJsonPatch(documentOf(current, JSON.parse(current.bodyJson)), parsed.operations);
  switch (result.kind) {
    case 'patched':
      return { kind: 'changed', document: result.value };
    case 'test_failed':
      return refused('precondition_failed', `the test of operation [${result.at}] found another value`, {
        current_commit_seq: commitSeq,
      });
    case 'inapplicable':
      return refused('conflict', `operation [${result.at}] does not apply to the object: ${result.reason}`, {
        current_commit_seq: commitSeq,
      });
  }
}

/** By the rules of a put: what is left out or null gets its default there, and so it does here. */
function faultsOf(document: unknown): FieldError[] {
  if (!isJsonObject(document)) return [{ field: 'body', reason: 'the patched object must be a JSON object' }];
  const errors: FieldError[] = [];
  const judge = (field: string, rule: (value: unknown) => string | undefined): void => {
    const value = memberOf(document, field);
    const reason = value === undefined || value === null ? undefined : rule(value);
    if (reason !== undefined) errors.push({ field, reason });
  };
  for (const field of Object.keys(document)) {
    if (!MEMBERS.has(field)) errors.push({ field: field.slice(0, 128), reason: 'cannot be patched' });
  }
  judge('type', whyNotAType);
  judge('tags', whyNotTags);
  judge('ttl_seconds', whyNotATimeToLive);
  if (nestsDeeperThan(memberOf(document, 'body'), LIMITS.jsonDepth - 1))
    errors.push({ field: 'body', reason: `must not nest deeper than ${LIMITS.jsonDepth} levels` });
  return errors.slice(0, 20);
}

function nestsDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof UntouchedBody) return false;
  if (levels === 0) return true;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof member === 'object' && nestsDeeperThan(member, levels - 1)) return true;
  }
  return false;
}

function makePut(
  id: string,
  document: JsonObject,
  parents: readonly string[],
  limitBytes: number,
): PatchedObject {
  const body = memberOf(document, 'body') ?? null;
  const bodyJson = body instanceof UntouchedBody ? body.json : JSON.stringify(body);
  const type = (memberOf(document, 'type') ?? 'object') as string;
  const tags = (memberOf(document, 'tags') ?? {}) as Tags;
  const ttlSeconds = (memberOf(document, 'ttl_seconds') ?? undefined) as number | undefined;
  if (utf8Length(bodyJson) > limitBytes) {
    const detail = `the patched object would have a body of more than ${limitBytes} bytes`;
    return refused('payload_too_large', detail, { limit_bytes: limitBytes });
  }
  return { kind: 'patched', put: { op: 'put', id, type, bodyJson, tags, parents, ttlSeconds } };
}

function refused(code: ErrorCode, detail: string, extras: ErrorExtras): Refused {
  return { kind: 'refused', code, detail, extras };
}
