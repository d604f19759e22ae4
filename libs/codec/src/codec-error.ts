/**
 * Bytes that cannot be read: cut short, of an unknown version or kind, or holding a number out of range. Entries
 * of a log were written by a program of this or an older version, so whoever meets this while applying must stop.
 */
export class CodecError extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'CodecError';
  }
}
