export * from './ports';
export * from './engine';
export type { FoundingMember, IdentityStore, NodeIdentity } from './identity';
export { NO_PEERS } from './no-peers';
export { DEFAULT_GROUP, Node, type NodeObserver, type NodeOptions, type ReplicaStatus } from './node';
export { StateCorruption } from './state-corruption';
export { readRaftFrame } from './peers/raft-frame';
