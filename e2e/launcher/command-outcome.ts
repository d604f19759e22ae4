import type { CommandOutcome, CommitSeq, ErrorCode, ErrorExtras, Lease, OperationResult } from '#contracts';
import type { Reply } from './node-requests';

type Json = Readonly<Record<string, unknown>>;

/** What a command came to by its reply: its outcome, that it never had an effect, or that nobody knows. */
export function commandOutcome({ status, headers, json }: Reply): CommandOutcome | 'refused' | 'unknown' {
  const again = headers['idempotency-replayed'] === 'true' ? { replayed: true as const } : {};
  switch (status) {
    case 200:
    case 204:
      return {
        kind: 'done',
        commitSeq: Number(headers['x-commit-seq']) as CommitSeq,
        results: resultsOf(json),
        ...again,
      };
    // CONTRACT section 6: these say that nothing happened.
    case 503:
    case 507:
      return 'refused';
    case 504:
      return 'unknown';
    default: {
      const { code, detail, errors, current_commit_seq: current, owner, expires_at: expiresAt } = json ?? {};
      // As JSON leaves out what is not there, so that equal answers are equal text.
      const extras = { errors, current_commit_seq: current, owner, expires_at: expiresAt } as ErrorExtras;
      return { kind: 'rejected', code: code as ErrorCode, detail: String(detail), extras, ...again };
    }
  }
}

/** A lease as it is answered. */
export function leaseOf(json: Json): Lease {
  const { key, owner, token, expires_at: expiresAt } = json as Record<string, string | number>;
  return {
    key: String(key),
    owner: String(owner),
    token: Number(token),
    expiresAtMs: Date.parse(String(expiresAt)),
  };
}

function resultsOf(json: Json | undefined): readonly OperationResult[] {
  if (json === undefined) return [{ kind: 'deleted' }];
  if (Array.isArray(json['results'])) return json['results'].map((one) => resultOf(one as Json));
  return [resultOf(json)];
}

function resultOf(json: Json): OperationResult {
  if ('token' in json) return { kind: 'lease', lease: leaseOf(json) };
  if (json['deleted'] === true) return { kind: 'deleted' };
  if (json['checked'] === true)
    return { kind: 'checked', commitSeq: Number(json['commit_seq'] ?? 0) as CommitSeq };
  return { kind: 'object', json: Buffer.from(JSON.stringify(json)) };
}
