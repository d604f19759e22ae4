import { hash } from 'node:crypto';
import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LostEntries } from '#raft';
import {
  Node,
  RegionChanged,
  StateCorruption,
  type Engine,
  type NodeIdentity,
  type NodeOptions,
  type WatchBus,
} from '#replication';
import { NatsBus } from '#nats';
import { UnknownStateFormat } from '#state-machine';
import { openArchive, RestoreSwitch, SnapshotCorruption, SnapshotFormatUnsupported } from '#snapshots';
import {
  FolderInUse,
  type FolderLock,
  IdentityFile,
  RocksStateStores,
  UnknownFolderFormat,
  lockFolder,
} from '#storage';
import { LogCorruption, LogFormatUnsupported, nodeDisk, openLog, type Log } from '#wal';
import { monotonicFactory } from 'ulid';
import { type ServerConfig, StartError } from '../config';
import type { Logger } from '../logging';
import type { EngineGauges, EngineObserver } from '../metrics';
import { SYSTEM_CLOCK, SYSTEM_RANDOM } from './system-clock';
import { aloneIdentity, knownIdentity } from './first-identity';
import { Quarantine } from './quarantine';
import { aloneOn, openPeerNetwork, type PeerNetwork } from './peer-network';

/**
 * Makes and starts the engine of a node; rejects with a `StartError` when its data or address cannot be used. Until
 * then `onProgress` is told what it does or waits for: for whoever asks, so it names no addresses.
 */
export type EngineFactory = (
  config: ServerConfig,
  metrics: EngineObserver,
  logger: Logger,
  onProgress: (what: string) => void,
) => Promise<Engine>;

export const createEngine: EngineFactory = async (config, metrics, logger, onProgress) => {
  await prepareFolder(config.dataDir);
  try {
    return await openNode({ config, metrics, logger, onProgress });
  } catch (error) {
    throw startErrorOf(error, config.dataDir);
  }
};

async function openNode(telling: Telling): Promise<Engine> {
  const { config, logger } = telling;
  const lock = await lockFolder(config.dataDir);
  const identities = new IdentityFile(config.dataDir);
  const quarantine = new Quarantine(config.dataDir);
  const open = (): Promise<Engine> => openData({ ...telling, identities, quarantine, lock });
  try {
    const kept = await new RestoreSwitch(config.dataDir).resume();
    if (kept !== undefined) logger.info({ folder: kept }, 'a restore that was cut off is done now');
    const resumed = await quarantine.resume();
    if (resumed !== undefined) logger.error({ folder: resumed }, movedAside(resumed));
    try {
      return await open();
    } catch (error) {
      const identity = await identities.load();
      if (!isDamage(error) || identity === undefined || isAlone(identity)) throw error;
      const folder = await quarantine.begin(identity, Date.now());
      logger.error({ err: error, folder }, movedAside(folder));
      return await open();
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface Telling {
  readonly config: ServerConfig;
  readonly metrics: EngineObserver;
  readonly logger: Logger;
  readonly onProgress: (what: string) => void;
}

interface Opening extends Telling {
  readonly identities: IdentityFile;
  readonly quarantine: Quarantine;
  readonly lock: FolderLock;
}

/** Opens what is in the folder and starts the node on it; a failure leaves everything closed but the lock. */
async function openData(opening: Opening): Promise<Engine> {
  const { config, metrics, logger, identities, quarantine, lock } = opening;
  let log: Log | undefined;
  let peers: PeerNetwork | undefined;
  let bus: WatchBus | undefined;
  let started = false;
  try {
    peers = await meetPeers(opening);
    const { identity, network, introductions, address } = peers;
    const onFatal = (error: Error): void => {
      // The next start must not take up under this identity what has just shown to be damaged.
      if (isDamage(error) && !isAlone(identity)) quarantine.plan(identity, Date.now());
      endProcess(logger, error);
    };
    // Others have what is damaged here. A node that is alone goes on with what it can still read.
    const onCorruption = isAlone(identity) ? (error: Error) => tellDamage(logger, error) : onFatal;
    const stores = new RocksStateStores({ folder: join(config.dataDir, 'groups'), onCorruption });
    log = await openLog({
      dir: join(config.dataDir, 'wal'),
      segmentBytes: config.walSegmentBytes,
      onFatal,
      observer: { synced: (seconds, bytes) => metrics.walSynced(seconds, bytes) },
    });
    const opened = log;
    const snapshots = await openArchive({ dir: join(config.dataDir, 'snapshots'), disk: nodeDisk });
    const ulid = monotonicFactory();
    bus = openBus(config, identity.clusterId, logger);
    const node = await Node.open({
      identity,
      identities,
      log,
      stores,
      snapshots,
      newSnapshotId: () => `snap-${ulid()}`,
      ...{ network, introductions, bus },
      address: { ...address, region: config.region, httpUrl: httpUrl(config, address.host) },
      addressOverrides: new Map(config.clusterNodes.map((node) => [node.name, node])),
      defaultReplicas: config.defaultReplicas,
      clock: SYSTEM_CLOCK,
      random: SYSTEM_RANDOM,
      digest: (bytes) => hash('sha256', bytes, 'hex'),
      ...engineSettings(config),
      watchObserver: {
        clients: () => undefined,
        events: (type, count) => metrics.watchEventsSent(type, count),
        received: (source, count) => metrics.watchEventsReceived(source, count),
        dropped: (reason) => metrics.watchDropped(reason),
        backlog: () => undefined,
        emitLag: (seconds) => metrics.watchEmitted(seconds),
        resumed: () => metrics.watchResumed(),
      },
      observer: {
        leaderChanged: (group) => metrics.raftLeaderChanged(group),
        proposalFailed: (_, reason) => metrics.raftProposalFailed(reason),
        snapshotTaken: (result, seconds) => metrics.snapshotTaken(result, seconds),
        statesDiffer: (what) => {
          metrics.statesDiffered();
          logger.error({ alarm: 'states_differ' }, what);
        },
        logHeld: (isHeld) => tellHeldLog(isHeld, opening),
        warning: (what, error) => logger.warn({ err: error }, what),
      },
      onFatal,
      // A second signal would cut the stop off that the first has begun.
      onRemoved: once(() => endRemoved(logger)),
      onReleased: async () => {
        if (started) await lock.release();
      },
    });
    started = true;
    peers.serve(node);
    metrics.readGauges(() => gauges(node, opened, snapshots.bytes(), bus));
    return node.engine;
  } catch (error) {
    await log?.close().catch(() => undefined);
    await bus?.close();
    await peers?.network.close();
    throw error;
  }
}

const LOG_HELD =
  'the log is larger than WAL_RETENTION_BYTES allows, or the disk is nearly full, and the newest snapshot is rolled ' +
  'forward through that log: it stays until a newer snapshot is taken, for which there may be no room';

function tellHeldLog(isHeld: boolean, { metrics, logger }: Opening): void {
  metrics.logHeld(isHeld);
  if (isHeld) logger.error({ alarm: 'log_held' }, LOG_HELD);
  else logger.info('the log is within its bounds again');
}

/** NATS carries watch events between nodes; a node starts without waiting for it. */
function openBus({ nats, nodeId }: ServerConfig, clusterId: string, logger: Logger): WatchBus | undefined {
  if (nats === undefined) return undefined;
  return NatsBus.open({ ...nats, name: `agentstate ${nodeId}`, clusterId, logger });
}

async function meetPeers(opening: Opening): Promise<PeerNetwork> {
  const { config, identities, quarantine } = opening;
  const known = await knownIdentity(identities, config);
  const clustered =
    config.clusterNodes.length > 1 ||
    config.clusterJoin.length > 0 ||
    quarantine.peers !== undefined ||
    (known !== undefined && !isAlone(known));
  const peers = clustered
    ? await openPeerNetwork(config, { identities, quarantine }, known, opening)
    : aloneOn(known ?? (await aloneIdentity(identities, config)), config);
  opening.onProgress('reading its data');
  return peers;
}

function isDamage(error: unknown): boolean {
  return [LogCorruption, StateCorruption, LostEntries].some((damage) => error instanceof damage);
}

function tellDamage(logger: Logger, error: Error): void {
  logger.error(
    { alarm: 'state_damaged', err: error },
    'restore this node: a read has met damage on the disk',
  );
}

function movedAside(folder: string): string {
  return `the data of this node is damaged and was moved aside: it comes back as a new member (agentstate wal verify --data-dir ${folder} says more)`;
}

function isAlone({ founder, founders }: NodeIdentity): boolean {
  return founder && founders.length === 1;
}

/** Where clients reach this node, as far as it knows; nothing while its port is picked at the start. */
function httpUrl(config: ServerConfig, host: string): string {
  return config.httpPort === 0 ? '' : `${config.tls ? 'https' : 'http'}://${host}:${config.httpPort}`;
}

type Settings = Pick<
  NodeOptions,
  | 'tickMs'
  | 'raft'
  | 'replicaLimits'
  | 'watchLimits'
  | 'historyRetentionMs'
  | 'historyRetentionCommits'
  | 'snapshotPolicy'
>;

function engineSettings(config: ServerConfig): Settings {
  return {
    tickMs: config.raftHeartbeatMs,
    raft: {
      electionTimeoutTicks: Math.max(2, Math.round(config.raftElectionTimeoutMs / config.raftHeartbeatMs)),
      heartbeatTicks: 1,
      maxMessageBytes: 1_048_576,
      maxInflightMessages: 256,
      maxInflightBytes: 16_777_216,
      maxUncommittedBytes: 67_108_864,
      maxCommittedBytes: 262_144,
      preVote: true,
      checkQuorum: true,
      leaseReads: false,
    },
    replicaLimits: { maxPendingProposals: 50_000, maxPendingReads: 50_000, rowCacheBytes: 33_554_432 },
    watchLimits: {
      maxWatchers: config.maxWatchers,
      maxWatchersPerOwner: config.maxWatchersPerToken,
      bufferEvents: config.watchBufferEvents,
      bufferBytes: config.watchBufferBytes,
      bookmarkMs: 5_000,
      keepAliveMs: 15_000,
      stallMs: 60_000,
    },
    snapshotPolicy: {
      intervalMs: config.snapshotIntervalSeconds * 1_000,
      keep: config.snapshotKeep,
      logBytes: config.walRetentionBytes,
    },
    historyRetentionMs: config.historyRetentionSeconds * 1_000,
    historyRetentionCommits: config.historyRetentionCommits,
  };
}

function gauges(node: Node, log: Log, snapshotBytes: number, bus: WatchBus | undefined): EngineGauges {
  const { activeSegments, bytes } = log.stats();
  const { clients, backlogEvents } = node.watchStats();
  const missing = new Map(node.admin.missingReplicas().map((group) => [group.group, group.missing]));
  return {
    watchClients: clients,
    watchBacklogEvents: backlogEvents,
    natsConnected: bus?.state === 'connected',
    walActiveSegments: activeSegments,
    walBytes: bytes,
    storageBytes: { wal: bytes, state: node.stateBytes(), snapshots: snapshotBytes },
    groups: node.replicas().map(({ group, term, role, commit, applied }) => ({
      group,
      term,
      isLeader: role === 'leader',
      commitIndex: commit,
      appliedIndex: applied,
      missingReplicas: missing.get(group),
    })),
  };
}

/** Parents included. Node's own recursive way never ends on file systems that say a parent is missing which is there. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder);
  }
}

async function prepareFolder(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
    await access(dataDir, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new StartError(`DATA_DIR=${dataDir} cannot be written to (${code}); give a folder of this user.`);
  }
}

/** Nothing that is in doubt may be acknowledged: one line, and the process ends. */
function endProcess(logger: Logger, error: Error): void {
  logger.fatal({ err: error }, 'the node cannot go on and ends');
  process.exitCode = 1;
  process.exit(1);
}

/** The cluster went on without this node: there is nothing left for it to do, and its data is of no more use. */
function endRemoved(logger: Logger): void {
  logger.warn(
    'this node was removed from its cluster and stops; empty its folder to let it join as a new one',
  );
  process.kill(process.pid, 'SIGTERM');
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

function startErrorOf(error: unknown, dataDir: string): unknown {
  if (error instanceof LogFormatUnsupported || error instanceof UnknownFolderFormat) {
    return new StartError(`DATA_DIR=${dataDir}: ${error.message}`);
  }
  if (error instanceof UnknownStateFormat) return new StartError(`DATA_DIR=${dataDir}: ${error.message}`);
  if (error instanceof SnapshotCorruption || error instanceof SnapshotFormatUnsupported) {
    return new StartError(
      `DATA_DIR=${dataDir}: the snapshots cannot be read (${error.message}); move the folder snapshots elsewhere to start without them.`,
    );
  }
  if (error instanceof LogCorruption) {
    return new StartError(
      `DATA_DIR=${dataDir}: the log is damaged (${error.message}); look at it with: agentstate wal verify --data-dir ${dataDir}`,
    );
  }
  if (error instanceof LostEntries) {
    return new StartError(
      `DATA_DIR=${dataDir}: the log has lost what it had acknowledged (${error.message}); look at it with: agentstate wal verify --data-dir ${dataDir}`,
    );
  }
  if (error instanceof StateCorruption) {
    return new StartError(`DATA_DIR=${dataDir}: the state is damaged (${error.message}).`);
  }
  if (error instanceof RegionChanged) return new StartError(error.message);
  if (error instanceof FolderInUse) {
    return new StartError(
      `DATA_DIR=${dataDir} is in use by another node; stop that one, or give another folder.`,
    );
  }
  return error;
}
