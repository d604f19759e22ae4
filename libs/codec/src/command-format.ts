/** The numbers of FORMAT.md, "Commands". */
export const COMMAND_VERSION = 1;
/** Where the proposal time stands, so that a leader can stamp a command that another node encoded. */
export const STAMP_OFFSET = 2;
/** Version, kind, time. */
export const COMMAND_HEADER_BYTES = 8;

export const CommandKind = {
  write: 1,
  expire: 2,
  compact: 3,
  lease: 4,
  snapshot: 16,
  tenancy: 24,
  import: 25,
  erase: 26,
  eraseFrom: 27,
  indexes: 32,
  build: 33,
} as const;
export const OperationKind = { put: 1, delete: 2, patch: 3, check: 4 } as const;

/** How the states of a tenancy are written. */
export const TenancyCode = { away: 0, frozen: 1, here: 2, loading: 3 } as const;

/** Flags of an operation; a set bit that a reader does not know is an error. */
export const OperationFlag = { ifMatch: 0x01, ifNoneMatch: 0x02, extensions: 0x80 } as const;
/** Flags of a command. */
export const CommandFlag = { idempotency: 0x01, fence: 0x02, extensions: 0x80 } as const;
export const PatchFormat = { merge: 1, json: 2 } as const;
export const LeaseAction = { acquire: 1, renew: 2, release: 3 } as const;
