import { type FieldError, type GroupId, StateError, groupId } from '#contracts';
import { ObjectFields } from '../api/object-fields';
import { GROUP_ID_MAX } from './cluster-requests.dto';
import { whyNotAName } from './node-name';

const TRANSFER = new ObjectFields({
  group_id: (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= GROUP_ID_MAX
      ? undefined
      : `must be a whole number from 0 to ${GROUP_ID_MAX}`,
  node_id: whyNotAName,
});
const TRANSFER_REQUIRED = ['group_id', 'node_id'];
const NEW_NODE = new ObjectFields({ node_id: whyNotAName, region: whyNotAName });

/** What is wrong with a body for a transfer of leadership; empty when nothing is. */
export function transferErrors(body: unknown): readonly FieldError[] {
  const errors = TRANSFER.errors(body);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return errors;
  const given = body as Readonly<Record<string, unknown>>;
  const missing = TRANSFER_REQUIRED.filter((field) => given[field] === undefined || given[field] === null);
  return [...errors, ...missing.map((field) => ({ field, reason: 'is required' }))];
}

/** The transfer that a body asks for, checked by the rules of `TransferLeaderDto`. */
export function readTransfer(body: unknown): { readonly group: GroupId; readonly node: string } {
  if (body === undefined) TRANSFER.read(body);
  const errors = transferErrors(body);
  if (errors.length > 0) {
    const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    throw new StateError('invalid_request', detail, { errors });
  }
  const fields = body as { readonly group_id: number; readonly node_id: string };
  return { group: groupId(fields.group_id), node: fields.node_id };
}

/** What is wrong with a body about a new node; empty when nothing is. */
export function newNodeErrors(body: unknown): readonly FieldError[] {
  return NEW_NODE.errors(body);
}

/** What is said of a new node, checked by the rules of `NewNodeDto`; no body says nothing. */
export function readNewNode(body: unknown): { readonly node?: string; readonly region?: string } {
  if (body === undefined) return {};
  const fields = NEW_NODE.read(body) as { node_id?: string | null; region?: string | null };
  return { node: fields.node_id ?? undefined, region: fields.region ?? undefined };
}
