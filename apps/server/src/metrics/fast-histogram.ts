import type { Metric, Registry } from 'prom-client';

/** One labelled series of a {@link FastHistogram}. */
export class Observations {
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length).fill(0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const { bounds } = this;
    for (let at = 0; at < bounds.length; at++) {
      if (value <= (bounds[at] as number)) {
        this.counts[at] = (this.counts[at] as number) + 1;
        return;
      }
    }
  }
}

/** A sample in the form in which prom-client's own histogram hands its samples to the registry. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A histogram for the hot path: observing is a few additions, where prom-client's own hashes the labels every time.
 * It hands the registry the same samples, which is all that the registry asks of a metric.
 */
export class FastHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly bounds: readonly number[];
  private readonly series: {
    readonly labels: Readonly<Record<string, string>>;
    readonly seen: Observations;
  }[] = [];

  constructor(settings: {
    readonly name: string;
    readonly help: string;
    readonly bounds: readonly number[];
    readonly registry: Registry;
  }) {
    this.name = settings.name;
    this.help = settings.help;
    this.bounds = settings.bounds;
    settings.registry.registerMetric(this as unknown as Metric);
  }

  with(labels: Readonly<Record<string, string>>): Observations {
    const seen = new Observations(this.bounds);
    this.series.push({ labels, seen });
    return seen;
  }

  get(): Promise<
    Pick<this, 'name' | 'help' | 'type' | 'aggregator'> & { readonly values: readonly Sample[] }
  > {
    const { name, help, type, aggregator, bounds } = this;
    const values: Sample[] = [];
    for (const { labels, seen } of this.series) {
      let below = 0;
      bounds.forEach((bound, at) => {
        below += seen.counts[at] as number;
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below });
      });
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: seen.count });
      values.push({ metricName: `${name}_sum`, labels, value: seen.sum });
      values.push({ metricName: `${name}_count`, labels, value: seen.count });
    }
    return Promise.resolve({ name, help, type, aggregator, values });
  }
}
