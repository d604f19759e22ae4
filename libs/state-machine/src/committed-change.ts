import { decodeUtf8 } from '#codec';
import type { ChangeEvent, Tags } from '#contracts';
import { readLabels } from './head-row';

/**
 * A change as watchers see it. Id, type and tags are decoded when somebody asks: where nobody watches, nobody pays.
 */
export class CommittedChange implements ChangeEvent {
  private decoded: { readonly type: string; readonly tags: Tags } | undefined;
  private idText: string | undefined;

  /**
   * All are kept by reference: `idBytes` as UTF-8, `labels` as rows hold them. `what` is a put's object as a GET
   * answers it, or the reason of a deletion.
   */
  constructor(
    private readonly idBytes: Uint8Array,
    private readonly labels: Uint8Array,
    private readonly what: Uint8Array | 'delete' | 'expired',
  ) {}

  get kind(): ChangeEvent['kind'] {
    return typeof this.what === 'string' ? 'delete' : 'put';
  }

  get reason(): 'delete' | 'expired' | undefined {
    return typeof this.what === 'string' ? this.what : undefined;
  }

  get object(): Uint8Array | undefined {
    return typeof this.what === 'string' ? undefined : this.what;
  }

  get id(): string {
    return (this.idText ??= decodeUtf8(this.idBytes));
  }

  get type(): string {
    return (this.decoded ??= readLabels(this.labels)).type;
  }

  get tags(): Tags {
    return (this.decoded ??= readLabels(this.labels)).tags;
  }
}
