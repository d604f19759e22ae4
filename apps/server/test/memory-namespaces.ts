import { groupId } from '#contracts';
import type { NamespaceOperations, NamespaceSettings, NamespaceView } from '#replication';

/** Settings that are kept and take effect nowhere but at the HTTP edge. */
export class MemoryNamespaces implements NamespaceOperations {
  readonly known = new Map<string, NamespaceSettings>();
  /** Set to make the next calls fail. */
  failure: Error | undefined;

  settings(ns: string): NamespaceSettings | undefined {
    return this.known.get(ns);
  }

  list(): Promise<readonly NamespaceView[]> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve([...this.known.keys()].sort().map((ns) => this.view(ns)));
  }

  get(ns: string): Promise<NamespaceView | undefined> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve(this.known.has(ns) ? this.view(ns) : undefined);
  }

  set(ns: string, settings: NamespaceSettings): Promise<NamespaceView> {
    if (this.failure) return Promise.reject(this.failure);
    this.known.set(ns, settings);
    return Promise.resolve(this.view(ns));
  }

  remove(ns: string): Promise<boolean> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve(this.known.delete(ns));
  }

  private view(ns: string): NamespaceView {
    const settings = this.known.get(ns);
    if (settings === undefined) throw new Error(`nobody configured ${ns}`);
    return {
      ns,
      settings,
      group: groupId(2),
      movingTo: undefined,
      isErasing: false,
      replicas: { placed: 2, wanted: settings.replicas ?? 3 },
    };
  }
}
