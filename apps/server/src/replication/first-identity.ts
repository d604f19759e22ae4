import { randomBytes } from 'node:crypto';
import { memberId, type NodeName } from '#contracts';
import type { IdentityStore, NodeIdentity } from '#replication';
import { type ServerConfig, StartError } from '../config';

/** The identity on disk, if this is a node already; refuses another node's folder. */
export async function knownIdentity(
  store: IdentityStore,
  config: ServerConfig,
): Promise<NodeIdentity | undefined> {
  const known = await store.load();
  if (known !== undefined && known.name !== config.nodeId) {
    throw new StartError(
      `NODE_ID=${config.nodeId}, but DATA_DIR=${config.dataDir} belongs to node ${known.name}; set NODE_ID=${known.name}, or give another folder.`,
    );
  }
  return known;
}

/** A new node that is a cluster of one. */
export async function aloneIdentity(store: IdentityStore, config: ServerConfig): Promise<NodeIdentity> {
  const name = config.nodeId as NodeName;
  const incarnation = randomBytes(16).toString('hex');
  const member = memberId(1);
  const identity: NodeIdentity = {
    clusterId: randomBytes(16).toString('hex'),
    member,
    name,
    incarnation,
    founders: [
      { member, name, region: config.region, host: '127.0.0.1', port: config.peerPort, incarnation },
    ],
    founder: true,
    begun: false,
  };
  await store.save(identity);
  return identity;
}
