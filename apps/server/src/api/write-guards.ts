import { hash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { encodeCommand } from '#codec';
import { type ClientCommand, type Fence, type IdempotencyKey, LIMITS } from '#contracts';
import { invalidField } from '../errors';
import { checkId } from '../http/identifiers';

const VISIBLE = /^[ -~]+$/;
/** No lease has the token 0: it is as stale as any that was not given out. */
const TOKEN = /^(?:0|[1-9]\d{0,15})$/;

/** What `If-Resource` and `If-Fence` of a write ask for: that this lease is held under this token. */
export function fenceOf(headers: IncomingHttpHeaders): Fence | undefined {
  const resource = headers['if-resource'];
  const token = headers['if-fence'];
  if (resource === undefined && token === undefined) return undefined;
  if (typeof resource !== 'string') throw invalidField('if-resource', 'goes with if-fence, once each');
  if (typeof token !== 'string') throw invalidField('if-fence', 'goes with if-resource, once each');
  const value = TOKEN.test(token) ? Number(token) : NaN;
  if (!Number.isSafeInteger(value)) throw invalidField('if-fence', 'must be the token of a lease');
  return { key: checkId(textOf(resource), 'if-resource'), token: value };
}

/**
 * The `Idempotency-Key` of a request that comes to `command`, with a digest of what is asked for. The digest covers
 * the operations with their conditions; not the fence, which whoever goes on with the work of another has anew, and
 * not the bounds of bodies, which are the token's, the namespace's and the node's, and may be others by then.
 */
export function idempotencyOf(
  headers: IncomingHttpHeaders,
  command: ClientCommand,
): IdempotencyKey | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  const isKey = typeof key === 'string' && VISIBLE.test(key) && key.length <= LIMITS.idempotencyKeyCharacters;
  if (!isKey)
    throw invalidField(
      'idempotency-key',
      `must be 1 to ${LIMITS.idempotencyKeyCharacters} visible ASCII characters`,
    );
  return { key, fingerprint: hash('sha256', encodeCommand(unbounded(command), 0), 'base64url') };
}

function unbounded(command: ClientCommand): ClientCommand {
  if (command.kind !== 'write') return command;
  const operations = command.operations.map((operation) =>
    operation.op === 'patch' ? { ...operation, limitBytes: 0 } : operation,
  );
  return { ...command, operations };
}

/** Header values are bytes, which Node shows as Latin-1: keys of leases are UTF-8. */
function textOf(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  if (!isUtf8(bytes)) throw invalidField('if-resource', 'must be UTF-8');
  return bytes.toString('utf8');
}
