import { StartError } from './start-error';
import { FILE_VARIABLES, VARIABLES } from './variables';

/**
 * Beginnings that are the server's own: any other name with them is a mistake, however far from a known one. They are
 * as long as they must be to be nobody else's: not `HTTP_` (`HTTP_PROXY`), `NODE_` (`NODE_ENV`) or `ADMIN_`.
 */
const OWN_PREFIXES = [
  'CAP_',
  'CLUSTER_',
  'WAL_',
  'WATCH_',
  'RAFT_',
  'HISTORY_',
  'PEER_',
  'NATS_',
  'TLS_',
  'RATE_LIMIT_',
  'SNAPSHOT_',
  'MAX_BODY',
  'MAX_WATCHERS',
  'MAX_CONNECTIONS_PER_',
  'AUTH_FAILURE',
  'ADMIN_HOST',
  'ADMIN_ON_',
  'ADMIN_PORT',
  'API_WORKER',
  'CORS_ORIGIN',
  'DATA_DIR',
  'DEFAULT_REPLICA',
];

/** What Kubernetes and Docker links add for a service that happens to be called, say, `cluster`. */
const SERVICE_LINK =
  /_(?:SERVICE_(?:HOST|PORT)(?:_.*)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?|NAME|ENV_.*)$/;

/** Names shorter than this are too often one letter away from someone else's variable. */
const MISSPELLING_MINIMUM_CHARACTERS = 9;

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(VARIABLES),
  ...FILE_VARIABLES.map((variable) => `${variable}_FILE`),
]);

/**
 * Refuses variables that are meant for the server but unknown to it. The environment is shared with everything
 * else, so only names with our own beginnings, or one slip away from a known name, count as ours.
 */
export function refuseUnknownVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment).sort()) {
    if (KNOWN.has(name)) continue;
    const meant = closest(name);
    const ours = OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) && !SERVICE_LINK.test(name);
    if (!ours && meant === undefined) continue;
    const hint = meant === undefined ? '' : ` Did you mean ${meant} (${describe(meant)})?`;
    throw new StartError(`${name} is not a variable of this server.${hint}`);
  }
}

function describe(name: string): string {
  const variable = VARIABLES[name as keyof typeof VARIABLES];
  return variable ? `${variable.form}, for example ${variable.example}` : 'the path of a file';
}

function closest(name: string): string | undefined {
  if (name.length < MISSPELLING_MINIMUM_CHARACTERS) return undefined;
  for (const known of KNOWN) {
    if (known.length >= MISSPELLING_MINIMUM_CHARACTERS && isOneSlipAway(name, known)) return known;
  }
  return undefined;
}

/** One letter missing, added, changed, or two neighbours swapped (Damerau's slips). */
function isOneSlipAway(left: string, right: string): boolean {
  if (Math.abs(left.length - right.length) > 1) return false;
  let start = 0;
  while (start < left.length && left[start] === right[start]) start++;
  let end = 0;
  const shorter = Math.min(left.length, right.length);
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const leftRest = left.slice(start, left.length - end);
  const rightRest = right.slice(start, right.length - end);
  if (leftRest.length <= 1 && rightRest.length <= 1) return true;
  return leftRest.length === 2 && leftRest === [...rightRest].reverse().join('');
}
