import { hash } from 'node:crypto';

/** The digest that states and objects are compared by. */
export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
