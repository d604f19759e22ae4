import type { ChangeEvent } from '#contracts';
import type { WatchFilter } from './types';

/** A filter made ready for comparing: watchers with the same `key` see the same events. */
export class CompiledFilter {
  readonly key: string;
  private readonly prefix: string;
  private readonly type: string | undefined;
  private readonly tags: readonly (readonly [key: string, value: string])[];

  constructor(filter: WatchFilter) {
    this.prefix = filter.prefix ?? '';
    this.type = filter.type;
    this.tags = Object.entries(filter.tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    this.key = JSON.stringify([this.prefix, this.type ?? null, this.tags]);
  }

  /** A `put` is compared by its new version, a `delete` by the last one: the event carries the right one. */
  matches(event: ChangeEvent): boolean {
    if (this.type !== undefined && event.type !== this.type) return false;
    if (this.prefix !== '' && !event.id.startsWith(this.prefix)) return false;
    for (const [key, value] of this.tags) {
      if (event.tags[key] !== value) return false;
    }
    return true;
  }
}
