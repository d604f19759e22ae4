import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ServerProcess } from './launcher/server-process';

/** What Prometheus itself adds to a scrape. */
const OF_PROMETHEUS = new Set(['up']);
/** Words of the query language, and names of labels, which stand where a metric could. */
const NOT_METRICS =
  /^(sum|rate|increase|histogram_quantile|by|max|min|count|on|group_right|or|vector|time|le|op|result|group|instance|reason|type|kind|peer|use|kid|job|ns|source|m|h|d)$/;

/** What Node.js says of itself; the dashboard picks from it. */
const OF_NODE = /^(nodejs|process)_/;

/**
 * The goal: the dashboard and the alerts speak of metrics that there are, and leave none of the server's own out. The
 * method: the names in their queries are compared with those of a running server.
 */
test('the dashboard and the alerts show the metrics of a running server, and all of its own', async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'agentstate-dashboards-'));
  const server = await ServerProcess.start({ dataDir });
  try {
    const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
    const served = new Set<string>();
    const own: string[] = [];
    for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      served.add(name);
      if (!OF_NODE.test(name)) own.push(name);
      if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) served.add(`${name}_${part}`);
    }
    const queries = [...dashboardQueries(), ...alertQueries()];
    expect(queries.length).toBeGreaterThan(50);
    const unknown = queries.flatMap((query) =>
      metricsOf(query)
        .filter((name) => !served.has(name) && !OF_PROMETHEUS.has(name))
        .map((name) => `${name} in ${query}`),
    );
    expect(unknown).toEqual([]);
    const shown = new Set(queries.flatMap(metricsOf).map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    expect(own.length).toBeGreaterThan(25);
    expect(own.filter((name) => !shown.has(name))).toEqual([]);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
});

const file = (name: string): string => readFileSync(path.join(__dirname, '../deploy', name), 'utf8');

function dashboardQueries(): string[] {
  const { panels } = JSON.parse(file('grafana/agentstate-dashboard.json')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

function alertQueries(): string[] {
  return [...file('prometheus/alerts.yml').matchAll(/^ +expr: '(.*)'$/gm)].map(([, expr = '']) => expr);
}

/** Names in a query, without what stands in braces, brackets and strings. */
function metricsOf(query: string): string[] {
  const bare = query.replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ');
  return [...bare.matchAll(/[a-z_][a-z0-9_]*/gi)]
    .map(([name]) => name)
    .filter((name) => !NOT_METRICS.test(name));
}
