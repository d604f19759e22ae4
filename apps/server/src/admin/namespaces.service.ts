import { Inject, Injectable } from '@nestjs/common';
import { StateError } from '#contracts';
import type { Engine, NamespaceView as EngineView } from '#replication';
import { isSamePath, parseSingularPath, type SingularPath } from '#state-machine';
import { checkNamespace } from '../http/identifiers';
import { ENGINE } from '../replication';
import type { NamespaceView } from './namespace.view';
import { readNamespaceSettings } from './read-namespace-settings';

/** What an operator asks about namespaces, in the words of the API. */
@Injectable()
export class NamespacesService {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  async list(): Promise<NamespaceView[]> {
    return Promise.all((await this.engine.namespaces.list()).map((found) => this.answerOf(found)));
  }

  async get(ns: string): Promise<NamespaceView> {
    const found = await this.engine.namespaces.get(checkNamespace(ns));
    if (found === undefined) throw notConfigured();
    return this.answerOf(found);
  }

  async set(ns: string, body: unknown): Promise<NamespaceView> {
    return this.answerOf(await this.engine.namespaces.set(checkNamespace(ns), readNamespaceSettings(body)));
  }

  async remove(ns: string): Promise<void> {
    if (!(await this.engine.namespaces.remove(checkNamespace(ns)))) throw notConfigured();
  }

  private async answerOf(view: EngineView): Promise<NamespaceView> {
    return viewOf(view, await this.building(view));
  }

  /** Indexes that are wanted and not complete, as the group that serves the namespace has them. */
  private async building({ ns, settings }: EngineView): Promise<readonly string[] | null> {
    if (settings.indexes.length === 0) return [];
    try {
      const { outcome } = await this.engine.read(
        { kind: 'indexes', ns },
        { consistency: { kind: 'linearizable' }, timeoutMs: INDEXES_TIMEOUT_MS },
      );
      return outcome.kind === 'indexes' ? notAmong(settings.indexes, outcome.ready) : null;
    } catch (error) {
      // A namespace that may not be read from here, or has no leader just now: its settings are known all the same.
      if (error instanceof StateError) return null;
      throw error;
    }
  }
}

const INDEXES_TIMEOUT_MS = 2_000;

/** Paths that lead elsewhere than all others do, however they are written. */
function notAmong(paths: readonly string[], others: readonly string[]): readonly string[] {
  const steps = (text: string): SingularPath | undefined => {
    const parsed = parseSingularPath(text);
    return parsed.kind === 'path' ? parsed.path : undefined;
  };
  const known = others.map(steps);
  return paths.filter((text) => {
    const path = steps(text);
    return !known.some((other) => path !== undefined && other !== undefined && isSamePath(path, other));
  });
}

function viewOf(
  { ns, settings, group, movingTo, isErasing, replicas }: EngineView,
  building: readonly string[] | null,
): NamespaceView {
  return {
    ns,
    regions: settings.regions ?? null,
    replicas: settings.replicas ?? replicas.wanted,
    read_replicas: settings.readReplicas,
    max_qps: settings.maxQps ?? null,
    max_bytes: settings.maxBytes ?? null,
    history_retention_seconds: settings.retention.seconds ?? null,
    history_retention_commits: settings.retention.commits ?? null,
    indexes: settings.indexes,
    indexes_building: building,
    group_id: group,
    state: movingTo !== undefined ? 'moving' : isErasing ? 'erasing' : 'active',
    under_replicated: replicas.placed < replicas.wanted,
  };
}

function notConfigured(): StateError {
  return new StateError('not_found', 'Nobody has configured this namespace: it is in the default placement.');
}
