import { randomBytes } from 'node:crypto';
import { memberId, type NodeName } from '#contracts';
import type { IdentityStore, NodeIdentity } from '#replication';
import { type ServerConfig, StartError } from '../config';

/** The identity on disk, or that of a new node which is a cluster of one. */
export async function firstIdentity(store: IdentityStore, config: ServerConfig): Promise<NodeIdentity> {
  const known = await store.load();
  const name = config.nodeId as NodeName;
  if (known !== undefined) {
    if (known.name !== name) {
      throw new StartError(
        `NODE_ID=${name}, but DATA_DIR=${config.dataDir} belongs to node ${known.name}; set NODE_ID=${known.name}, or give another folder.`,
      );
    }
    return known;
  }
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
