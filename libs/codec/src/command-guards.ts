import type { Fence, IdempotencyKey } from '#contracts';
import type { ByteReader } from './byte-reader';
import { type ByteWriter, sizedLength, varintLength } from './byte-writer';
import { CommandFlag } from './command-format';
import { utf8Length } from './utf8';

/** What stands before a client's command: under which key it happens once, and under which lease it may. */
export interface Guards {
  readonly idempotency?: IdempotencyKey;
  readonly fence?: Fence;
}

/** The flags that say which guards follow them. */
export function guardFlags({ idempotency, fence }: Guards): number {
  return (idempotency ? CommandFlag.idempotency : 0) | (fence ? CommandFlag.fence : 0);
}

export function guardsLength({ idempotency, fence }: Guards): number {
  let bytes = 0;
  if (idempotency) bytes += stringLength(idempotency.key) + stringLength(idempotency.fingerprint);
  if (fence) bytes += stringLength(fence.key) + varintLength(fence.token);
  return bytes;
}

export function writeGuards(writer: ByteWriter, { idempotency, fence }: Guards): void {
  if (idempotency) {
    writer.string(idempotency.key);
    writer.string(idempotency.fingerprint);
  }
  if (fence) {
    writer.string(fence.key);
    writer.varint(fence.token);
  }
}

const NO_GUARDS: Guards = {};

export function readGuards(flags: number, reader: ByteReader): Guards {
  if ((flags & (CommandFlag.idempotency | CommandFlag.fence)) === 0) return NO_GUARDS;
  const idempotency =
    flags & CommandFlag.idempotency ? { key: reader.string(), fingerprint: reader.string() } : undefined;
  const fence = flags & CommandFlag.fence ? { key: reader.string(), token: reader.varint() } : undefined;
  return { ...(idempotency ? { idempotency } : {}), ...(fence ? { fence } : {}) };
}

function stringLength(text: string): number {
  return sizedLength(utf8Length(text));
}
