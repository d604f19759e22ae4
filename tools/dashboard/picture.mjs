// Draws the panels of the Grafana dashboard as an SVG, from the same queries, asked of a Prometheus: for a picture of
// the dashboard where no Grafana runs.
//   node tools/dashboard/picture.mjs http://127.0.0.1:9090 300 >dashboard.svg     the last 300 seconds, or those before a moment that is given as 2026-11-27T08:00:00Z
import { readFileSync } from 'node:fs';
import { panelSvg, stylesheet } from './panels.mjs';

const WIDTH = 1600;
const COLUMNS = 24;
const ROW_PX = 27;
const POINTS = 100;
/** At least four scrapes, as Grafana chooses it. */
const RATE_INTERVAL = '20s';

const [prometheus, secondsText = '300', endText] = process.argv.slice(2);
const seconds = Number(secondsText);
if (prometheus === undefined || !(seconds > 0)) {
  console.error('usage: node tools/dashboard/picture.mjs PROMETHEUS_URL [SECONDS [END]]');
  process.exit(2);
}
const file = new URL('../../deploy/grafana/agentstate-dashboard.json', import.meta.url);
const { panels } = JSON.parse(readFileSync(file, 'utf8'));
const endSeconds = Math.floor((endText === undefined ? Date.now() : Date.parse(endText)) / 1_000);

async function seriesOf({ expr, legendFormat = '' }) {
  const query = expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll('$instance', '.*');
  const range = { start: endSeconds - seconds, end: endSeconds, step: Math.max(1, seconds / POINTS) };
  const search = new URLSearchParams({
    query,
    ...Object.fromEntries(Object.entries(range).map(([k, v]) => [k, `${v}`])),
  });
  const response = await fetch(`${prometheus}/api/v1/query_range?${search}`);
  const { status, error, data } = await response.json();
  if (status !== 'success') throw new Error(`${query}: ${error}`);
  return data.result.map(({ metric, values }) => ({
    name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? ''),
    points: values
      .map(([time, value]) => [time, Number(value)])
      .filter(([, value]) => Number.isFinite(value)),
  }));
}

const drawn = [];
for (const panel of panels) {
  const series = (await Promise.all((panel.targets ?? []).map(seriesOf))).flat();
  const { x, y, w, h } = panel.gridPos;
  const box = { x: (x * WIDTH) / COLUMNS, y: y * ROW_PX, width: (w * WIDTH) / COLUMNS, height: h * ROW_PX };
  drawn.push(panelSvg({ panel, series, box, range: [endSeconds - seconds, endSeconds] }));
}
const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW_PX + 8;
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">` +
    `${stylesheet}<rect width="${WIDTH}" height="${height}" fill="#111217"/>${drawn.join('\n')}</svg>\n`,
);
