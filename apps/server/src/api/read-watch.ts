import type { IncomingHttpHeaders } from 'node:http';
import { LIMITS, commitSeq } from '#contracts';
import type { WatchRequest } from '#watch';
import type { Access } from '../auth';
import { CLOCK_SKEW_SECONDS } from '../auth/claims';
import { invalidField } from '../errors';
import { queryParameters, wholeNumberParameter } from '../http/query-string';

const TAG_PREFIX = 'tag.';
const PARAMETERS = new Set(['from_commit', 'prefix', 'type', 'initial']);
const POSITIONS = { low: 0, high: Number.MAX_SAFE_INTEGER };

/**
 * What a watch asks for. `Last-Event-ID` wins over the parameters that say where to start: a browser's
 * EventSource sends it with the unchanged URL when it reconnects.
 */
export function readWatch(
  url: string,
  headers: IncomingHttpHeaders,
  access: Access,
  nowMs: number,
): WatchRequest {
  const parameters = queryParameters(url, (name) => PARAMETERS.has(name) || name.startsWith(TAG_PREFIX));
  const initial = parameters.get('initial') ?? 'false';
  if (initial !== 'true' && initial !== 'false') throw invalidField('initial', 'must be true or false');
  const fromCommit = wholeNumberParameter(parameters, 'from_commit', POSITIONS);
  if (fromCommit !== undefined && initial === 'true') throw invalidField('initial', 'excludes from_commit');
  const resumedAfter = lastEventId(headers['last-event-id']);
  const from = resumedAfter === undefined ? fromCommit : resumedAfter + 1;
  const { capability } = access;
  return {
    ns: access.ns,
    filter: { prefix: parameters.get('prefix'), type: parameters.get('type'), tags: tagsOf(parameters) },
    from: from === undefined ? undefined : commitSeq(Math.max(1, from)),
    initial: initial === 'true' && resumedAfter === undefined,
    expiresAtMs: capability && endOf(capability.expiresAtSeconds, nowMs),
    owner: capability?.owner,
  };
}

/**
 * A stream ends when its token does. A token that is taken after that, because clocks may differ, is good until
 * this server is sure that it has ended.
 */
function endOf(expiresAtSeconds: number, nowMs: number): number {
  const skewSeconds = nowMs < expiresAtSeconds * 1_000 ? 0 : CLOCK_SKEW_SECONDS;
  return (expiresAtSeconds + skewSeconds) * 1_000;
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  const value = typeof header === 'string' && /^\d{1,16}$/.test(header) ? Number(header) : NaN;
  if (value < Number.MAX_SAFE_INTEGER) return value;
  throw invalidField('last-event-id', 'must be the id of an event of this stream');
}

function tagsOf(parameters: ReadonlyMap<string, string>): Record<string, string> | undefined {
  let tags: Record<string, string> | undefined;
  for (const [name, value] of parameters) {
    if (!name.startsWith(TAG_PREFIX)) continue;
    tags ??= Object.create(null) as Record<string, string>;
    tags[name.slice(TAG_PREFIX.length)] = value;
  }
  if (tags && Object.keys(tags).length > LIMITS.tags)
    throw invalidField('tag', `at most ${LIMITS.tags} tags`);
  return tags;
}
