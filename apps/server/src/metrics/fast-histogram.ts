import { type Registry, Histogram } from 'prom-client';

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

/**
 * A histogram for the hot path: observing is a few additions, where prom-client hashes the labels every time. A
 * scrape hands prom-client the same numbers in the form that it would have kept itself.
 */
export class FastHistogram<Label extends string> extends Histogram<Label> {
  private readonly series: {
    readonly labels: Readonly<Record<Label, string>>;
    readonly seen: Observations;
  }[] = [];

  constructor(
    private readonly settings: {
      readonly name: string;
      readonly help: string;
      readonly labelNames: readonly Label[];
      readonly bounds: readonly number[];
      readonly registry: Registry;
    },
  ) {
    const { name, help, labelNames, bounds, registry } = settings;
    super({ name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [registry] });
  }

  with(labels: Readonly<Record<Label, string>>): Observations {
    const seen = new Observations(this.settings.bounds);
    this.series.push({ labels, seen });
    return seen;
  }

  override get(): ReturnType<Histogram<Label>['get']> {
    const { name, help, bounds } = this.settings;
    type Got = Awaited<ReturnType<Histogram<Label>['get']>>;
    const values: Got['values'] = [];
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
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values } as unknown as Got);
  }
}
