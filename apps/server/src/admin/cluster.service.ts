import { Inject, Injectable } from '@nestjs/common';
import { StateError } from '#contracts';
import type { Engine } from '#replication';
import { SERVER_CONFIG, type ServerConfig } from '../config';
import { ENGINE } from '../replication';
import { clusterAnswer } from './cluster-answer';
import type { ClusterView, NewNodeView, RemovedNodeView, TransferView } from './cluster.view';
import { readNewNode, readTransfer } from './read-cluster-requests';

const HOW_TO_JOIN =
  'Start a node with these variables, the ones of same_as_here as on the other nodes, and its own NODE_ID, REGION, ' +
  'DATA_DIR and PEER_HOST (where the others reach it). It asks to be let in by itself; nothing was changed by this request.';
const HOW_TO_GROW =
  'This node runs alone and has no peer port. Start it again with CLUSTER_NODES naming itself and the new node ' +
  '(node-1=host:7400@region,node-2=host:7400@region) and a CLUSTER_SECRET; it keeps its data.';

/** What an operator asks of the cluster, in the words of the API. */
@Injectable()
export class ClusterService {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(SERVER_CONFIG) private readonly config: ServerConfig,
  ) {}

  async view(): Promise<ClusterView> {
    return clusterAnswer(await this.engine.cluster.view(), this.config);
  }

  /** Nodes come by themselves, with the secret; this says what one has to be started with. */
  async newNode(body: unknown): Promise<NewNodeView> {
    const { node, region } = readNewNode(body);
    const { nodes } = await this.engine.cluster.view();
    const { clusterNodes, clusterJoin, peerTls } = this.config;
    if (nodes.length <= 1 && clusterNodes.length <= 1 && clusterJoin.length === 0) {
      throw new StateError('conflict', HOW_TO_GROW);
    }
    const present = nodes.filter(({ state }) => state === 'active');
    if (present.some(({ name, alive }) => alive && name === node)) {
      throw new StateError('conflict', `A node named ${node} is alive; give the new one another node_id.`);
    }
    return {
      node_id: node ?? null,
      environment: {
        ...(node !== undefined && { NODE_ID: node }),
        ...(region !== undefined && { REGION: region }),
        CLUSTER_JOIN: present
          .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
          .join(),
      },
      same_as_here:
        peerTls === undefined ? ['CLUSTER_SECRET'] : ['CLUSTER_SECRET', 'PEER_TLS_CLIENT_CA_PATH'],
      detail: HOW_TO_JOIN,
    };
  }

  async removeNode(name: string): Promise<RemovedNodeView> {
    const { state } = await this.engine.cluster.removeNode(name);
    return { node_id: name, state };
  }

  async transferLeader(body: unknown): Promise<TransferView> {
    const { group, node } = readTransfer(body);
    await this.engine.cluster.transferLeader(group, node);
    return { group_id: group, node_id: node };
  }
}
