import { ByteReader, compareBytes, compareUtf8, encodeUtf8 } from '#codec';
import type { Tags } from '#contracts';
import type { LabelBytes } from './head-row';

/** What objects to take. All given conditions must hold. */
export interface ObjectConditions {
  readonly prefix?: string;
  readonly type?: string;
  readonly tags?: Tags;
}

/** Conditions as bytes, so that rows are compared without being decoded. */
export class ObjectFilter {
  readonly prefix: Uint8Array;
  readonly type: Uint8Array | undefined;
  /** In the order of their keys' bytes, as rows hold them. */
  readonly tags: LabelBytes['tags'];

  constructor(conditions: ObjectConditions) {
    this.prefix = encodeUtf8(conditions.prefix ?? '');
    this.type = conditions.type === undefined ? undefined : encodeUtf8(conditions.type);
    this.tags = Object.entries(conditions.tags ?? {})
      .sort(([left], [right]) => compareUtf8(left, right))
      .map(([key, value]) => [encodeUtf8(key), encodeUtf8(value)] as const);
  }

  matchesId(id: Uint8Array): boolean {
    const { prefix } = this;
    if (id.length < prefix.length) return false;
    return prefix.every((byte, index) => byte === id[index]);
  }

  /** `labels` as in `HeadRow.labels`. */
  matchesLabels(labels: Uint8Array): boolean {
    if (this.type === undefined && this.tags.length === 0) return true;
    const reader = new ByteReader(labels);
    const type = reader.sized();
    if (this.type !== undefined && compareBytes(type, this.type) !== 0) return false;
    let wanted = 0;
    for (let count = reader.varint(); count > 0; count--) {
      const tag = this.tags[wanted];
      if (!tag) return true;
      const key = reader.sized();
      const value = reader.sized();
      if (compareBytes(key, tag[0]) !== 0) continue;
      if (compareBytes(value, tag[1]) !== 0) return false;
      wanted++;
    }
    return wanted === this.tags.length;
  }
}
