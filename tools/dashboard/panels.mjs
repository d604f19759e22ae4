// One panel as SVG: a heading, one number, or lines over time with their names below.
const COLOURS = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff9830',
  '#f2495c',
  '#b877d9',
  '#37872d',
  '#8ab8ff',
  '#ffa6b0',
];
const LEGEND_ROW_PX = 15;
const CHARACTER_PX = 5.9;

export const stylesheet =
  '<style>text{font-family:"DejaVu Sans",sans-serif;fill:#ccccdc}.title{font-size:13px;font-weight:bold}' +
  '.small{font-size:10px;fill:#9a9aa8}.number{font-size:34px;fill:#73bf69}.row{font-size:15px}</style>';

export function panelSvg({ panel, series, box, range }) {
  const { x, y, width, height } = box;
  if (panel.type === 'row') return text(x + 10, y + 19, panel.title, 'row');
  const [w, h] = [width - 8, height - 8];
  const inside = panel.type === 'stat' ? number(panel, series, w, h) : lines(panel, series, w, h, range);
  return (
    `<g transform="translate(${round(x + 4)} ${round(y + 4)})">` +
    `<rect width="${round(w)}" height="${round(h)}" rx="2" fill="#181b1f" stroke="#25282d"/>` +
    `${text(10, 18, panel.title, 'title')}${inside}</g>`
  );
}

function number(panel, series, w, h) {
  const newest = series[0]?.points.at(-1)?.[1];
  const shown = newest === undefined ? 'no data' : format(newest, unitOf(panel));
  return `<text x="${w / 2}" y="${h - 26}" text-anchor="middle" class="number">${escape(shown)}</text>`;
}

function lines(panel, all, w, h, [start, end]) {
  const series = all.filter(({ points }) => points.length > 0);
  const legend = legendOf(series, w - 20);
  const unit = unitOf(panel);
  const area = { left: 62, right: w - 12, top: 30, bottom: h - 24 - legend.rows * LEGEND_ROW_PX };
  if (series.length === 0) return text(w / 2 - 24, h / 2, 'none seen', 'small');
  const ticks = ticksUpTo(
    Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))),
    unit,
  );
  const top = ticks.at(-1);
  const atX = (time) => round(area.left + ((time - start) / (end - start)) * (area.right - area.left));
  const atY = (value) => round(area.bottom - (value / top) * (area.bottom - area.top));
  const grid = ticks.map(
    (tick) =>
      `<path d="M${area.left} ${atY(tick)}H${round(area.right)}" stroke="#2a2d33"/>` +
      `<text x="${area.left - 6}" y="${atY(tick) + 3}" text-anchor="end" class="small">${escape(format(tick, unit))}</text>`,
  );
  const step = Math.max(30, Math.ceil((end - start) / ((area.right - area.left) / 90) / 30) * 30);
  for (let time = Math.ceil(start / step) * step; time <= end; time += step) {
    const label = new Date(time * 1_000).toISOString().slice(11, 19);
    const isLast = atX(time) > area.right - 24;
    const [x, anchor] = isLast ? [area.right + 8, 'end'] : [atX(time), 'middle'];
    grid.push(`<text x="${x}" y="${area.bottom + 15}" text-anchor="${anchor}" class="small">${label}</text>`);
  }
  const paths = series.map(({ points }, at) => {
    const gap = 4 * ((end - start) / 100);
    const d = points.map(([time, value], index) => {
      const isGap = index === 0 || time - points[index - 1][0] > gap;
      return `${isGap ? 'M' : 'L'}${atX(time)} ${atY(Math.max(0, value))}`;
    });
    return `<path d="${d.join('')}" fill="none" stroke="${colour(at)}" stroke-width="1.4"/>`;
  });
  return grid.join('') + paths.join('') + legend.svg(area.bottom + 30);
}

function legendOf(series, width) {
  const placed = [];
  let [row, left] = [0, 10];
  for (const [at, { name }] of series.entries()) {
    const needed = 20 + name.length * CHARACTER_PX + 12;
    if (left + needed > width && left > 10) [row, left] = [row + 1, 10];
    placed.push({ at, name, row, left });
    left += needed;
  }
  const rows = Math.min(row + 1, 4);
  const svg = (top) =>
    placed
      .filter((one) => one.row < rows)
      .map(({ at, name, row: of, left: from }) => {
        const y = top + of * LEGEND_ROW_PX;
        return `<rect x="${from}" y="${y - 5}" width="12" height="3" fill="${colour(at)}"/>${text(from + 17, y, name, 'small')}`;
      })
      .join('');
  return { rows, svg };
}

/** Round steps from 0 to beyond the highest value. */
function ticksUpTo(highest, unit) {
  const most = highest > 0 ? highest : 1;
  const base = unit === 'bytes' ? 1_024 ** Math.floor(Math.log(most) / Math.log(1_024)) : 1;
  const magnitude = 10 ** Math.floor(Math.log10(most / base / 4));
  const step =
    base * magnitude * ([1, 2, 2.5, 5, 10].find((one) => one * magnitude * 4 * base >= most) ?? 10);
  return [0, 1, 2, 3, 4].map((at) => at * step);
}

function format(value, unit) {
  if (unit === 's')
    return value >= 1 ? `${trim(value)} s` : value === 0 ? '0 s' : `${trim(value * 1_000)} ms`;
  if (unit === 'percentunit') return `${trim(value * 100)} %`;
  if (unit === 'bytes') return bytes(value);
  const suffix = { reqps: ' req/s', ops: ' /s', d: ' d' }[unit] ?? '';
  return `${value >= 10_000 ? `${trim(value / 1_000)} k` : trim(value)}${suffix}`;
}

function bytes(value) {
  const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log(value) / Math.log(1_024)));
  return `${trim(value / 1_024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

const trim = (value) => `${Number(value.toPrecision(3))}`;
const round = (value) => Math.round(value * 10) / 10;
const colour = (at) => COLOURS[at % COLOURS.length];
const unitOf = (panel) => panel.fieldConfig?.defaults?.unit ?? 'short';
const escape = (value) => value.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`);
const text = (x, y, value, style) =>
  `<text x="${round(x)}" y="${round(y)}" class="${style}">${escape(value)}</text>`;
