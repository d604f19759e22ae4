import { type Registry, Counter, Gauge, Histogram } from 'prom-client';

/** The metrics of named snapshots. */
export class SnapshotMetrics {
  private readonly snapshots: Counter;
  private readonly seconds: Histogram;
  private readonly differences: Counter;
  private readonly held: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.snapshots = new Counter({
      name: 'snapshot_total',
      help: 'Snapshots taken',
      labelNames: ['result'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'snapshot_duration_seconds',
      help: 'Time to take a snapshot',
      buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300],
      registers,
    });
    this.differences = new Counter({
      name: 'snapshot_mismatch_total',
      help: 'Replicas whose state differed from the one here when a snapshot was compared: an alarm',
      registers,
    });
    this.held = new Gauge({
      name: 'snapshot_log_held',
      help: '1 while the newest snapshot holds more of the log than its bound or the disk allows: an alarm',
      registers,
    });
    for (const result of ['ok', 'failed']) this.snapshots.inc({ result }, 0);
  }

  taken(result: 'ok' | 'failed', seconds: number): void {
    this.snapshots.inc({ result });
    this.seconds.observe(seconds);
  }

  logHeld(isHeld: boolean): void {
    this.held.set(isHeld ? 1 : 0);
  }

  differed(): void {
    this.differences.inc();
  }
}
