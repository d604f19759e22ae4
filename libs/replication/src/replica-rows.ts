import { ByteReader, ByteWriter, CodecError } from '#codec';
import { logIndex, memberId, type LogIndex, type MemberId } from '#contracts';
import type { ConfState } from '#raft';
import type { StateReader } from '#state-machine';
import { parseJson } from './cluster-bodies';

/**
 * The configuration that a replica has applied is a row of its state, written with the entry that changed it: so
 * state and configuration can never disagree after a crash. The row's table byte is above all of the state
 * machine's tables; the value is JSON, because it is small and rare.
 */
export const CONF_STATE_KEY = new Uint8Array([0xfe, 0x01]);

export function encodeConfState(conf: ConfState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(conf));
}

export function decodeConfState(bytes: Uint8Array): ConfState {
  const raw = parseJson(bytes) as Record<string, unknown> | null;
  const members = (name: string): MemberId[] => {
    const list = raw?.[name];
    if (!Array.isArray(list) || !list.every((value) => Number.isSafeInteger(value) && value >= 0))
      throw new CodecError(`configuration row: ${name} is not a list of members`);
    return list.map((value) => memberId(value as number));
  };
  return {
    voters: members('voters'),
    votersOutgoing: members('votersOutgoing'),
    learners: members('learners'),
    learnersNext: members('learnersNext'),
    autoLeave: raw?.['autoLeave'] === true,
  };
}

/** The log index at which this state was put in place whole: by the group's beginning or by a snapshot. */
export const INSTALLED_KEY = new Uint8Array([0xfe, 0x02]);

export function encodeInstalled(index: LogIndex): Uint8Array {
  const writer = new ByteWriter(8);
  writer.u64(index);
  return writer.finish();
}

export function readInstalled(reader: StateReader): LogIndex | undefined {
  const row = reader.get(INSTALLED_KEY);
  return row === undefined ? undefined : logIndex(new ByteReader(row).u64());
}
