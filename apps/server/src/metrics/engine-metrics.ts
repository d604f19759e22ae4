import { type Registry, Counter, Gauge, Histogram } from 'prom-client';
import { FAULT_REASONS } from '#transport';
import { SnapshotMetrics } from './snapshot-metrics';

/** What the engine tells as it works, as plain calls: it knows nothing of Prometheus. Durations in seconds. */
export interface EngineObserver {
  walSynced(seconds: number, batchBytes: number): void;
  watchEventsSent(type: string, count: number): void;
  /** Events of watched namespaces that came to this node, and how. */
  watchEventsReceived(source: string, count: number): void;
  watchDropped(reason: string): void;
  watchResumed(): void;
  watchEmitted(lagSeconds: number): void;
  raftLeaderChanged(group: number): void;
  raftProposalFailed(reason: string): void;
  /** A ping to a peer came back; `peer` is the name of a node. */
  peerAnswered(peer: string, seconds: number): void;
  /** A handshake with a peer failed, refused by either side; one of the few reasons of the transport. */
  peerRefused(reason: string): void;
  /** A link to a peer ended because of what came over it; one of the few reasons of the transport. */
  peerFaulted(reason: string): void;
  /** The certificate now in use ends then, in seconds since 1970. */
  certificateLoaded(use: 'clients' | 'peers', notAfterSeconds: number): void;
  snapshotTaken(result: 'ok' | 'failed', seconds: number): void;
  /** Whether the newest snapshot holds more of the log than there should be. */
  logHeld(isHeld: boolean): void;
  /** Two replicas had different states at the same entry. */
  statesDiffered(): void;
  /** Says where the gauges come from, once; until then a scrape leaves them out. */
  readGauges(gauges: () => EngineGauges): void;
}

/** One group's replica on this node. */
export interface GroupGauges {
  readonly group: number;
  readonly term: number;
  readonly isLeader: boolean;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Live voters that it has too few; on the leader only. */
  readonly missingReplicas: number | undefined;
}

/** What is read off the engine when a scrape asks. */
export interface EngineGauges {
  readonly watchClients: number;
  readonly watchBacklogEvents: number;
  /** Whether NATS is there; never without `NATS_URL`. */
  readonly natsConnected: boolean;
  readonly walActiveSegments: number;
  readonly walBytes: number;
  readonly storageBytes: Readonly<Record<string, number>>;
  readonly groups: readonly GroupGauges[];
}

const SYNC_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const ROUND_TRIP_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const BATCH_BUCKETS_BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** The metrics of the log, the groups and the watchers. */
export class EngineMetrics implements EngineObserver {
  private readonly fsyncSeconds: Histogram;
  private readonly batchBytes: Histogram;
  private readonly watchEvents: Counter;
  private readonly watchSourceEvents: Counter;
  private readonly watchDrops: Counter;
  private readonly watchResumes: Counter;
  private readonly emitLagSeconds: Histogram;
  private readonly leaderChanges: Counter;
  private readonly proposalsFailed: Counter;
  private readonly peerSeconds: Histogram;
  private readonly handshakesRefused: Counter;
  private readonly linkFaults: Counter;
  private readonly certificateEnds: Gauge;
  private readonly snapshots: SnapshotMetrics;
  private gauges: (() => EngineGauges) | undefined;

  constructor(registry: Registry) {
    const registers = [registry];
    this.fsyncSeconds = new Histogram({
      name: 'wal_fsync_seconds',
      help: 'Time to sync one batch of the log',
      buckets: SYNC_BUCKETS_SECONDS,
      registers,
    });
    this.batchBytes = new Histogram({
      name: 'wal_batch_bytes',
      help: 'Size of one batch of the log',
      buckets: BATCH_BUCKETS_BYTES,
      registers,
    });
    this.watchEvents = new Counter({
      name: 'watch_events_total',
      help: 'Events sent to watchers',
      labelNames: ['type'],
      registers,
    });
    this.watchSourceEvents = new Counter({
      name: 'watch_source_events_total',
      help: 'Events of watched namespaces by the way they came: applied here, over NATS, from a peer, from the log',
      labelNames: ['source'],
      registers: [registry],
    });
    this.watchDrops = new Counter({
      name: 'watch_drops_total',
      help: 'Watch streams ended by the server',
      labelNames: ['reason'],
      registers,
    });
    this.watchResumes = new Counter({
      name: 'watch_resumes_total',
      help: 'Watch streams that started from a position in the past',
      registers,
    });
    this.emitLagSeconds = new Histogram({
      name: 'watch_emit_lag_seconds',
      help: 'Time from the proposal of a change to its hand-over to a watcher',
      registers,
    });
    this.leaderChanges = new Counter({
      name: 'raft_leader_changes_total',
      help: 'Changes of leader seen by this node',
      labelNames: ['group'],
      registers,
    });
    this.proposalsFailed = new Counter({
      name: 'raft_proposals_failed_total',
      help: 'Proposals that did not commit',
      labelNames: ['reason'],
      registers,
    });
    this.peerSeconds = new Histogram({
      name: 'raft_peer_rtt_seconds',
      help: 'Round trip of a ping to a peer, queueing included',
      labelNames: ['peer'],
      buckets: ROUND_TRIP_BUCKETS_SECONDS,
      registers,
    });
    this.handshakesRefused = new Counter({
      name: 'peer_handshakes_refused_total',
      help: 'Handshakes with peers that failed, refused by either side',
      labelNames: ['reason'],
      registers,
    });
    this.linkFaults = new Counter({
      name: 'peer_link_faults_total',
      help: 'Links to peers that were closed because of what came over them',
      labelNames: ['reason'],
      registers,
    });
    this.certificateEnds = certificateEnds(registry);
    this.snapshots = new SnapshotMetrics(registry);
    this.registerGauges(registry);
    this.showFromTheStart();
  }

  /** A series that is there at zero can be watched for its first increase; one that is missing cannot. */
  private showFromTheStart(): void {
    for (const type of ['PUT', 'DELETE', 'BOOKMARK', 'OVERFLOW', 'END']) this.watchEvents.inc({ type }, 0);
    for (const source of ['local', 'nats', 'peer', 'log']) this.watchSourceEvents.inc({ source }, 0);
    for (const reason of ['overflow', 'stalled', 'compacted', 'interrupted'])
      this.watchDrops.inc({ reason }, 0);
    for (const reason of ['no_leader', 'overloaded', 'timeout']) this.proposalsFailed.inc({ reason }, 0);
    for (const reason of FAULT_REASONS) this.linkFaults.inc({ reason }, 0);
  }

  readGauges(gauges: () => EngineGauges): void {
    this.gauges = gauges;
  }

  walSynced(seconds: number, batchBytes: number): void {
    this.fsyncSeconds.observe(seconds);
    this.batchBytes.observe(batchBytes);
  }

  watchEventsSent(type: string, count: number): void {
    this.watchEvents.inc({ type }, count);
  }

  watchEventsReceived(source: string, count: number): void {
    this.watchSourceEvents.inc({ source }, count);
  }

  watchDropped(reason: string): void {
    this.watchDrops.inc({ reason });
  }

  watchResumed(): void {
    this.watchResumes.inc();
  }

  watchEmitted(lagSeconds: number): void {
    this.emitLagSeconds.observe(Math.max(0, lagSeconds));
  }

  raftLeaderChanged(group: number): void {
    this.leaderChanges.inc({ group: String(group) });
  }

  raftProposalFailed(reason: string): void {
    this.proposalsFailed.inc({ reason });
  }

  peerAnswered(peer: string, seconds: number): void {
    this.peerSeconds.observe({ peer }, seconds);
  }

  peerRefused(reason: string): void {
    this.handshakesRefused.inc({ reason });
  }

  peerFaulted(reason: string): void {
    this.linkFaults.inc({ reason });
  }

  certificateLoaded(use: 'clients' | 'peers', notAfterSeconds: number): void {
    this.certificateEnds.set({ use }, notAfterSeconds);
  }

  snapshotTaken(result: 'ok' | 'failed', seconds: number): void {
    this.snapshots.taken(result, seconds);
  }

  logHeld(isHeld: boolean): void {
    this.snapshots.logHeld(isHeld);
  }

  statesDiffered(): void {
    this.snapshots.differed();
  }

  private registerGauges(registry: Registry): void {
    const plain = (name: string, help: string, value: (gauges: EngineGauges) => number): void => {
      const read = (): EngineGauges | undefined => this.gauges?.();
      new Gauge({
        name,
        help,
        registers: [registry],
        collect(): void {
          const gauges = read();
          if (gauges) this.set(value(gauges));
        },
      });
    };
    plain('watch_clients_total', 'Watchers connected now', (gauges) => gauges.watchClients);
    plain(
      'watch_backlog_events',
      'Events that wait for slow watchers',
      (gauges) => gauges.watchBacklogEvents,
    );
    plain('nats_connected', 'Whether NATS is there', (gauges) => Number(gauges.natsConnected));
    plain('wal_active_segments', 'Segments of the log', (gauges) => gauges.walActiveSegments);
    plain('wal_bytes', 'Bytes of the log', (gauges) => gauges.walBytes);
    this.labelled(registry, 'storage_bytes_total', 'Bytes on disk', 'kind', (gauges) =>
      Object.entries(gauges.storageBytes),
    );
    const perGroup = (name: string, help: string, value: (group: GroupGauges) => number): void =>
      this.labelled(registry, name, help, 'group', (gauges) =>
        gauges.groups.map((group) => [String(group.group), value(group)]),
      );
    perGroup('raft_term', 'Term of the group', (group) => group.term);
    perGroup('raft_is_leader', 'Whether this node leads the group', (group) => Number(group.isLeader));
    perGroup('raft_commit_index', 'Commit index of the group', (group) => group.commitIndex);
    this.labelled(
      registry,
      'placement_missing_replicas',
      'Live voters that a group led here has too few',
      'group',
      (gauges) =>
        gauges.groups.flatMap(({ group, missingReplicas }) =>
          missingReplicas === undefined ? [] : [[String(group), missingReplicas] as const],
        ),
    );
    perGroup('raft_applied_index', 'Applied index of the group', (group) => group.appliedIndex);
  }

  private labelled(
    registry: Registry,
    name: string,
    help: string,
    label: string,
    values: (gauges: EngineGauges) => readonly (readonly [string, number])[],
  ): void {
    const read = (): EngineGauges | undefined => this.gauges?.();
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect(): void {
        this.reset();
        const gauges = read();
        for (const [labelValue, value] of gauges ? values(gauges) : [])
          this.set({ [label]: labelValue }, value);
      },
    });
  }
}

function certificateEnds(registry: Registry): Gauge {
  return new Gauge({
    name: 'tls_certificate_not_after_seconds',
    help: 'When the certificate in use ends, in seconds since 1970',
    labelNames: ['use'],
    registers: [registry],
  });
}
