import { type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import type { Message, MessageType } from './types';

/** A message that is being filled in; nobody changes it once it was sent. */
export type MessageDraft = { -readonly [Field in keyof Message]: Message[Field] };

const NO_ENTRIES: readonly LogEntry[] = [];

/** Every message has every field, in one order: so they share one hidden class. */
export function newMessage(type: MessageType, from: MemberId, to: MemberId, term: Term): MessageDraft {
  return {
    type,
    from,
    to,
    term,
    index: 0 as LogIndex,
    logTerm: 0 as Term,
    commit: 0 as LogIndex,
    entries: NO_ENTRIES,
    reject: false,
    rejectHint: 0 as LogIndex,
    snapshot: undefined,
    context: 0,
    transfer: false,
  };
}
