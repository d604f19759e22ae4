import { EntryKind, type LogEntry } from '#contracts';
import { decodeConfChange } from '../src/conf-change-codec';
import {
  type ConfChange,
  type ConfState,
  type Message,
  MessageType,
  type Ready,
  type Status,
} from '../src/types';

/** The one-line forms that the text traces are written in. */

const TYPE_NAMES = new Map<number, string>(Object.entries(MessageType).map(([name, type]) => [type, name]));
const KIND_LETTERS = { addVoter: 'v', addLearner: 'l', remove: 'r' } as const;

const list = (members: readonly number[]): string => `(${members.join(' ')})`;

export function describeConfState(state: ConfState): string {
  let text = `voters=${list(state.voters)}`;
  if (state.votersOutgoing.length > 0) text += `&&${list(state.votersOutgoing)}`;
  if (state.learners.length > 0) text += ` learners=${list(state.learners)}`;
  if (state.learnersNext.length > 0) text += ` learnersNext=${list(state.learnersNext)}`;
  return state.autoLeave ? `${text} autoLeave` : text;
}

function describeConfChange(change: ConfChange | undefined): string {
  if (change === undefined) return 'unreadable';
  if (change.changes.length === 0) return 'leaveJoint';
  const changes = change.changes.map(({ kind, member }) => `${KIND_LETTERS[kind]}${member}`).join(' ');
  return change.transition === 'auto' ? changes : `${changes} ${change.transition}`;
}

/** `term/index` and the data. */
export function describeEntry(entry: LogEntry): string {
  const place = `${entry.term}/${entry.index}`;
  if (entry.kind === EntryKind.confChange)
    return `${place} conf{${describeConfChange(decodeConfChange(entry.data))}}`;
  if (entry.data.byteLength > 20) return `${place} ${entry.data.byteLength} bytes`;
  return entry.data.byteLength === 0 ? `${place} ""` : `${place} "${new TextDecoder().decode(entry.data)}"`;
}

const describeEntries = (entries: readonly LogEntry[]): string =>
  `[${entries.map(describeEntry).join(', ')}]`;

export function describeMessage(message: Message): string {
  const parts = [`${message.from}->${message.to} ${TYPE_NAMES.get(message.type)} term=${message.term}`];
  switch (message.type) {
    case MessageType.append:
      parts.push(`after=${message.logTerm}/${message.index} commit=${message.commit}`);
      if (message.entries.length > 0) parts.push(describeEntries(message.entries));
      break;
    case MessageType.appendResponse:
      parts.push(`index=${message.index}`);
      if (message.reject) parts.push(`rejected hint=${message.logTerm}/${message.rejectHint}`);
      break;
    case MessageType.requestVote:
    case MessageType.requestPreVote:
      parts.push(`last=${message.logTerm}/${message.index}${message.transfer ? ' transfer' : ''}`);
      break;
    case MessageType.requestVoteResponse:
    case MessageType.requestPreVoteResponse:
      parts.push(message.reject ? `refused commit=${message.logTerm}/${message.commit}` : 'granted');
      break;
    case MessageType.heartbeat:
      parts.push(`commit=${message.commit}${message.context > 0 ? ` round=${message.context}` : ''}`);
      break;
    case MessageType.heartbeatResponse:
      if (message.context > 0) parts.push(`round=${message.context}`);
      break;
    case MessageType.installSnapshot:
      if (message.snapshot !== undefined)
        parts.push(
          `snapshot=${message.snapshot.term}/${message.snapshot.index} ${describeConfState(message.snapshot.confState)}`,
        );
      break;
    case MessageType.readIndex:
      parts.push(`context=${message.context}`);
      break;
    case MessageType.readIndexResponse:
      parts.push(`context=${message.context} ${message.reject ? 'refused' : `index=${message.index}`}`);
      break;
    case MessageType.transferLeader:
      parts.push(`target=${message.context}`);
      break;
    case MessageType.timeoutNow:
      break;
  }
  return parts.join(' ');
}

export function describeReady(ready: Ready): string[] {
  const lines: string[] = [];
  const { softState, hardState, snapshot, entries } = ready;
  if (softState !== undefined) lines.push(`${softState.role}, leader=${softState.leader}`);
  if (ready.appendMark > 0) {
    const parts = [`append mark=${ready.appendMark}`];
    if (snapshot !== undefined) parts.push(`snapshot=${snapshot.term}/${snapshot.index}`);
    if (hardState !== undefined)
      parts.push(`term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`);
    if (entries.length > 0) parts.push(describeEntries(entries));
    lines.push(parts.join(' '));
  }
  for (const message of ready.messages) lines.push(`send ${describeMessage(message)}`);
  for (const message of ready.messagesAfterDurable) lines.push(`hold ${describeMessage(message)}`);
  if (ready.committedEntries.length > 0) lines.push(`committed ${describeEntries(ready.committedEntries)}`);
  for (const read of ready.readStates)
    lines.push(`read context=${read.context} ${read.failed ? 'failed' : `index=${read.index}`}`);
  return lines;
}

export function describeStatus(status: Status): string {
  const lines = [
    `${status.id}: ${status.role} term=${status.term} vote=${status.vote} leader=${status.leader} ` +
      `commit=${status.commit} applied=${status.applied} last=${status.lastIndex} ${describeConfState(status.confState)}`,
  ];
  if (status.transferee > 0) lines[0] += ` transferee=${status.transferee}`;
  for (const known of status.progress)
    lines.push(
      `  ${known.member}: ${known.state} match=${known.match} next=${known.next}` +
        `${known.learner ? ' learner' : ''}${known.recentActive ? '' : ' inactive'}`,
    );
  return lines.join('\n');
}
