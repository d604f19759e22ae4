import { Inject, Injectable } from '@nestjs/common';
import { StateError } from '#contracts';
import type { Engine, NamespaceView as EngineView } from '#replication';
import { checkNamespace } from '../http/identifiers';
import { ENGINE } from '../replication';
import type { NamespaceView } from './namespace.view';
import { readNamespaceSettings } from './read-namespace-settings';

/** What an operator asks about namespaces, in the words of the API. */
@Injectable()
export class NamespacesService {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  async list(): Promise<NamespaceView[]> {
    return (await this.engine.namespaces.list()).map(answerOf);
  }

  async get(ns: string): Promise<NamespaceView> {
    const found = await this.engine.namespaces.get(checkNamespace(ns));
    if (found === undefined) throw notConfigured();
    return answerOf(found);
  }

  async set(ns: string, body: unknown): Promise<NamespaceView> {
    return answerOf(await this.engine.namespaces.set(checkNamespace(ns), readNamespaceSettings(body)));
  }

  async remove(ns: string): Promise<void> {
    if (!(await this.engine.namespaces.remove(checkNamespace(ns)))) throw notConfigured();
  }
}

function answerOf({ ns, settings, group, movingTo, isErasing, replicas }: EngineView): NamespaceView {
  return {
    ns,
    regions: settings.regions ?? null,
    replicas: settings.replicas ?? replicas.wanted,
    read_replicas: settings.readReplicas,
    max_qps: settings.maxQps ?? null,
    max_bytes: settings.maxBytes ?? null,
    history_retention_seconds: settings.retention.seconds ?? null,
    history_retention_commits: settings.retention.commits ?? null,
    group_id: group,
    state: movingTo !== undefined ? 'moving' : isErasing ? 'erasing' : 'active',
    under_replicated: replicas.placed < replicas.wanted,
  };
}

function notConfigured(): StateError {
  return new StateError('not_found', 'Nobody has configured this namespace: it is in the default placement.');
}
