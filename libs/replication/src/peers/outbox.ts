import type { GroupId, MemberId } from '#contracts';
import type { Message } from '#raft';
import type { Network } from '../ports';
import { PeerKind } from './peer-kinds';
import { RaftFrame } from './raft-frame';

/**
 * A frame that has come to this many bytes leaves. What one turn has for a peer that is far behind is a whole window of
 * appends, more than a link takes in one frame; one message is at most an entry larger than this.
 */
const FULL_BYTES = 1_048_576;

/** Gathers one turn's Raft messages into few frames for each peer. A message that is dropped is Raft's to repeat. */
export class Outbox {
  private readonly frames = new Map<MemberId, RaftFrame>();

  constructor(private readonly network: Pick<Network, 'send'>) {}

  add(group: GroupId, message: Message): void {
    let frame = this.frames.get(message.to);
    if (frame === undefined) {
      frame = new RaftFrame();
      this.frames.set(message.to, frame);
    }
    frame.add(group, message);
    if (frame.bytes < FULL_BYTES) return;
    this.frames.delete(message.to);
    this.network.send(message.to, PeerKind.raft, frame.finish());
  }

  flush(): void {
    if (this.frames.size === 0) return;
    for (const [member, frame] of this.frames) this.network.send(member, PeerKind.raft, frame.finish());
    this.frames.clear();
  }
}
