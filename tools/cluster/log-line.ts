/** A line of a node's log as a person reads it: the time of day, what is worth noticing, the text, and the rest. */
export function readableLine(line: string): string {
  const entry = parse(line);
  if (entry === undefined) return line;
  const { level, time, msg, ...rest } = entry;
  const clock = typeof time === 'string' ? (/T(\d\d:\d\d:\d\d)/.exec(time)?.[1] ?? '') : '';
  const loud = level === 'info' || typeof level !== 'string' ? '' : `${level.toUpperCase()} `;
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${shown(value)}`);
  return `${clock} ${loud}${String(msg)}${fields.join('')}`.trim();
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return typeof entry['msg'] === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Of an error its message; the stack is for the log of a real node. */
function shown(value: unknown): string {
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  const message = (value as { readonly message?: unknown } | null)?.message;
  return JSON.stringify(typeof message === 'string' ? message : value);
}
