import type { GroupId, MemberId } from '#contracts';
import type { Message } from '#raft';
import type { Network } from '../ports';
import { PeerKind } from './peer-kinds';
import { RaftFrame } from './raft-frame';

/** Gathers one turn's Raft messages into one frame for each peer. A message that is dropped is Raft's to repeat. */
export class Outbox {
  private readonly frames = new Map<MemberId, RaftFrame>();

  constructor(private readonly network: Network) {}

  add(group: GroupId, message: Message): void {
    let frame = this.frames.get(message.to);
    if (frame === undefined) {
      frame = new RaftFrame();
      this.frames.set(message.to, frame);
    }
    frame.add(group, message);
  }

  flush(): void {
    if (this.frames.size === 0) return;
    for (const [member, frame] of this.frames) this.network.send(member, PeerKind.raft, frame.finish());
    this.frames.clear();
  }
}
