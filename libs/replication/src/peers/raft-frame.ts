import { ByteReader, ByteWriter, CodecError } from '#codec';
import { groupId, type GroupId } from '#contracts';
import { decodeMessage, encodeMessage, type Message } from '#raft';

/**
 * Raft messages of several groups to one peer, as one frame: count, then for each its group (u32), its length (u32)
 * and its bytes. Heartbeats of all groups that one turn made travel together like this.
 */
export class RaftFrame {
  private readonly parts: Uint8Array[] = [];
  private count = 0;
  private partBytes = 0;

  add(group: GroupId, message: Message): void {
    const bytes = encodeMessage(message);
    const head = new ByteWriter(8);
    head.u32(group);
    head.u32(bytes.length);
    this.parts.push(head.finish(), bytes);
    this.count += 1;
    this.partBytes += 8 + bytes.length;
  }

  /** Of the messages in it, with what stands before each. */
  get bytes(): number {
    return this.partBytes;
  }

  finish(): readonly Uint8Array[] {
    const head = new ByteWriter(4);
    head.u32(this.count);
    return [head.finish(), ...this.parts];
  }
}

/** The messages of a frame, in order. Entry data are views into `body`. Throws {@link CodecError} on other bytes. */
export function* readRaftFrame(
  body: Uint8Array,
): Generator<{ readonly group: GroupId; readonly message: Message }> {
  const reader = new ByteReader(body);
  const count = reader.u32();
  for (let at = 0; at < count; at++) {
    const group = groupId(reader.u32());
    const length = reader.u32();
    const message = decodeMessage(reader.raw(length));
    if (message === undefined) throw new CodecError('a Raft message of an unknown form');
    yield { group, message };
  }
  reader.expectEnd('the Raft messages');
}
