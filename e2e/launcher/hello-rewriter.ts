import { crc32 } from 'node:zlib';

/** Of libs/transport/FORMAT.md: what every version of the protocol keeps, so that versions can refuse each other. */
const PREAMBLE_BYTES = 8;
const LENGTH_FIELD_BYTES = 4;
const CHECKSUM_OFFSET = 4;
const CHECKED_OFFSET = 8;
const VERSIONS_OFFSET = 16;

export interface AnnouncedVersions {
  readonly min: number;
  readonly max: number;
}

/** Lets one direction of a link pass, with other versions in its HELLO: a node of another release, as its peers see it. */
export class HelloRewriter {
  private beginning: Buffer | undefined = Buffer.alloc(0);

  constructor(private readonly versions: AnnouncedVersions) {}

  /** What to send on now; nothing while the HELLO is not whole. */
  pass(bytes: Buffer): Buffer {
    if (this.beginning === undefined) return bytes;
    this.beginning = Buffer.concat([this.beginning, bytes]);
    const seen = this.beginning;
    if (seen.length < PREAMBLE_BYTES + LENGTH_FIELD_BYTES) return Buffer.alloc(0);
    const length = seen.readUInt32BE(PREAMBLE_BYTES);
    const end = PREAMBLE_BYTES + LENGTH_FIELD_BYTES + length;
    if (seen.length < end) return Buffer.alloc(0);
    const hello = seen.subarray(PREAMBLE_BYTES, end);
    hello.writeUInt16BE(this.versions.min, VERSIONS_OFFSET);
    hello.writeUInt16BE(this.versions.max, VERSIONS_OFFSET + 2);
    hello.writeUInt32BE(crc32(hello.subarray(CHECKED_OFFSET), length), CHECKSUM_OFFSET);
    this.beginning = undefined;
    return seen;
  }
}
