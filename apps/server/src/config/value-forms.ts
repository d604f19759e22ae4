import type { ClusterNode, HostAndPort, LogLevel } from './server-config';

/**
 * How the text of a variable becomes a value. `parse` gives `undefined` for text that is not of the form, and
 * the form and the example are what the operator is then told.
 */
export interface ValueForm<Value> {
  readonly form: string;
  readonly example: string;
  readonly parse: (text: string) => Value | undefined;
}

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const HOST_PATTERN =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;
const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** A whole number, written in digits alone, within the bounds (inclusive). */
export function wholeNumber(low: number, high: number, example: number): ValueForm<number> {
  return {
    form: `a whole number from ${low} to ${high}`,
    example: String(example),
    parse: (text) => {
      if (!/^\d{1,16}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= low && value <= high ? value : undefined;
    },
  };
}

export const flag: ValueForm<boolean> = {
  form: 'true or false',
  example: 'true',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

export function name(what: string, example: string): ValueForm<string> {
  return {
    form: `${what}: 1 to 63 letters, digits, dots, dashes and underscores, the first a letter or digit`,
    example,
    parse: (text) => (NAME_PATTERN.test(text) ? text : undefined),
  };
}

export const path: ValueForm<string> = {
  form: 'a path',
  example: '/var/lib/agentstate',
  parse: (text) => (text.includes('\0') ? undefined : text),
};

export const host: ValueForm<string> = {
  form: 'a host name or address, without a port',
  example: '0.0.0.0',
  parse: (text) => (HOST_PATTERN.test(text) ? text : undefined),
};

export const logLevel: ValueForm<LogLevel> = {
  form: `one of ${LOG_LEVELS.join(', ')}`,
  example: 'info',
  parse: (text) => (LOG_LEVELS.includes(text) ? (text as LogLevel) : undefined),
};

/** Standard or URL-safe base64 of at least 32 bytes. */
export const signingKey: ValueForm<Buffer> = {
  form: 'base64 of at least 32 random bytes',
  example: 'the output of: openssl rand -base64 32',
  parse: (text) => {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
    const key = Buffer.from(text, 'base64');
    return key.length >= 32 ? key : undefined;
  },
};

export const secret: ValueForm<string> = {
  form: 'a secret of 1 to 1024 characters, the same on every node',
  example: 'the output of: openssl rand -hex 32',
  parse: (text) => (text.length <= 1_024 ? text : undefined),
};

export function natsText(what: string): ValueForm<string> {
  return {
    form: `${what} of the NATS server, 1 to 1024 characters`,
    example: 'agentstate',
    parse: (text) => (text.length <= 1_024 ? text : undefined),
  };
}

/** The seed of a NATS user: `SU` and base32. */
export const nkeySeed: ValueForm<string> = {
  form: 'the seed of a NATS user, beginning with SU',
  example: 'the output of: nk -gen user',
  parse: (text) => (/^SU[A-Z2-7]{56}$/.test(text) ? text : undefined),
};

export function url(protocols: readonly string[], example: string): ValueForm<string> {
  return {
    form: `a URL with ${protocols.join(' or ')}`,
    example,
    parse: (text) => (URL.canParse(text) && protocols.includes(new URL(text).protocol) ? text : undefined),
  };
}

export const corsOrigin: ValueForm<string> = {
  form: 'an origin (scheme, host and port, nothing after them) or *',
  example: 'https://console.example.com',
  parse: (text) => {
    if (text === '*') return text;
    if (!URL.canParse(text)) return undefined;
    const { protocol, origin } = new URL(text);
    return (protocol === 'http:' || protocol === 'https:') && origin === text ? text : undefined;
  },
};

export const hostAndPort: ValueForm<HostAndPort> = {
  form: 'host:port',
  example: 'node-1.internal:7400',
  parse: parseHostAndPort,
};

export const clusterNode: ValueForm<ClusterNode> = {
  form: 'name=host:port@region',
  example: 'node-1=10.0.0.1:7400@us-west-2',
  parse: (text) => {
    const parts = /^([^=]+)=(.+)@([^@]+)$/.exec(text);
    const address = parts ? parseHostAndPort(parts[2] ?? '') : undefined;
    const [, nodeName = '', , region = ''] = parts ?? [];
    if (!address || !NAME_PATTERN.test(nodeName) || !NAME_PATTERN.test(region)) return undefined;
    return { name: nodeName, region, ...address };
  },
};

/** A list of one or more, separated by commas; blanks around an item do not count. */
export function list<Item>(item: ValueForm<Item>): ValueForm<readonly Item[]> {
  return {
    form: `a comma-separated list, each ${item.form}`,
    example: item.example,
    parse: (text) => {
      const items = text.split(',').map((part) => item.parse(part.trim()));
      return items.some((parsed) => parsed === undefined) ? undefined : (items as Item[]);
    },
  };
}

function parseHostAndPort(text: string): HostAndPort | undefined {
  const colon = text.lastIndexOf(':');
  const address = text.slice(0, colon);
  const port = wholeNumber(1, 65_535, 7400).parse(text.slice(colon + 1));
  return colon > 0 && port !== undefined && HOST_PATTERN.test(address) ? { host: address, port } : undefined;
}
