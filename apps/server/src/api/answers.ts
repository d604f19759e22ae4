import type { FastifyReply } from 'fastify';
import { type CommandOutcome, type CommitSeq, type Lease, type Operation, StateError } from '#contracts';
import type { ReadAnswer } from '#replication';

const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';
const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');

/** Sends an object's stored bytes as they are. `position` is where the history stands, `version` the object's own. */
export function sendObject(
  reply: FastifyReply,
  object: { readonly json: Uint8Array; readonly version: CommitSeq; readonly position: CommitSeq },
): void {
  reply.header('content-type', JSON_CONTENT_TYPE);
  reply.header('etag', `"${object.version}"`);
  reply.header('x-commit-seq', String(object.position));
  // 200 for a POST too, where Nest would say 201: a put may also replace.
  reply.code(200).send(object.json);
}

export function sendDeleted(reply: FastifyReply, position: CommitSeq): void {
  reply.status(204).header('x-commit-seq', String(position)).send();
}

/** Sends what each operation of a batch came to: objects as their stored bytes, the rest by name. */
export function sendBatch(
  reply: FastifyReply,
  operations: readonly Operation[],
  { commitSeq, results }: Extract<CommandOutcome, { kind: 'done' }>,
): void {
  const parts: Uint8Array[] = [Buffer.from(`{"commit_seq":${commitSeq},"results":[`)];
  results.forEach((result, index) => {
    if (index > 0) parts.push(COMMA);
    if (result.kind === 'object') return void parts.push(result.json);
    const id = operations[index]?.id;
    const version = result.kind === 'checked' ? result.commitSeq : commitSeq;
    const answer = result.kind === 'checked' ? { id, checked: true } : { id, deleted: true };
    parts.push(Buffer.from(JSON.stringify(version === 0 ? answer : { ...answer, commit_seq: version })));
  });
  parts.push(Buffer.from(']}'));
  reply.header('content-type', JSON_CONTENT_TYPE);
  reply.header('x-commit-seq', String(commitSeq));
  reply.code(200).send(Buffer.concat(parts));
}

export function sendLease(reply: FastifyReply, lease: Lease, position: CommitSeq): void {
  const { key, owner, token, expiresAtMs } = lease;
  reply.header('content-type', JSON_CONTENT_TYPE);
  reply.header('x-commit-seq', String(position));
  reply
    .code(200)
    .send(JSON.stringify({ key, owner, token, expires_at: new Date(expiresAtMs).toISOString() }));
}

/** Sends a page of list or query as one array, again without parsing any object. */
export function sendPage(reply: FastifyReply, { outcome, commitSeq }: ReadAnswer): void {
  if (outcome.kind === 'rejected') throw rejection(outcome);
  if (outcome.kind !== 'page')
    throw new Error(`a page was asked for, and the engine answered ${outcome.kind}`);
  const parts: Uint8Array[] = [OPEN];
  outcome.objects.forEach((object, index) => parts.push(...(index === 0 ? [object] : [COMMA, object])));
  parts.push(CLOSE);
  reply.header('content-type', JSON_CONTENT_TYPE);
  reply.header('x-commit-seq', String(commitSeq));
  if (outcome.nextCursor !== undefined) reply.header('x-next-cursor', outcome.nextCursor);
  reply.code(200).send(Buffer.concat(parts));
}

/** A command or read that the state machine refused, as the error that it is for the client. */
export function rejection(outcome: {
  readonly code: StateError['code'];
  readonly detail: string;
  readonly extras?: StateError['extras'];
}): StateError {
  return new StateError(outcome.code, outcome.detail, outcome.extras);
}
