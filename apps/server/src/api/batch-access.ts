import { type Operation, StateError } from '#contracts';
import type { Access, CapabilityOperation } from '../auth';

/** What a token must grant beside `PUT`, which the route asks for, when a batch holds such an operation. */
const NEEDED: Readonly<Record<Operation['op'], CapabilityOperation>> = {
  put: 'PUT',
  patch: 'PUT',
  delete: 'DELETE',
  check: 'GET',
};

/** A batch is no way around what a token does not grant: deletes need `DELETE`, checks tell something and need `GET`. */
export function checkOperations({ capability }: Access, operations: readonly Operation[]): void {
  if (!capability) return;
  for (const { op } of operations) {
    if (!capability.operations.has(NEEDED[op]))
      throw new StateError('operation_denied', `The token does not grant the operation ${NEEDED[op]}.`);
  }
}
