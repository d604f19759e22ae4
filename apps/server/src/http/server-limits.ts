import type { Server } from 'node:http';

/** How long a connection may take and how many there may be, so that silent ones harm nobody. */
export const SERVER_LIMITS = {
  /** A client that begins a TLS handshake and never ends it costs a socket no longer than this. */
  handshakeTimeoutMs: 10_000,
  /** From the opening of a connection, or the end of the last request, to the end of the next headers. */
  headersTimeoutMs: 20_000,
  /** To the end of the body. */
  requestTimeoutMs: 60_000,
  /** Idle time between requests; longer than the usual 60 s of proxies, so that they close first. */
  keepAliveTimeoutMs: 72_000,
  /** Without a byte in either direction while an answer is awaited or not read; watches send a sign of life sooner. */
  inactivityTimeoutMs: 300_000,
  /** How often Node looks for connections past these. */
  checkIntervalMs: 5_000,
  /** Request line and headers: an id of 512 bytes, percent-encoded, and a token fit well. */
  headerBytes: 32_768,
  /** Connections beside those of the watchers. */
  requestConnections: 16_384,
} as const;

/** Options of `http.createServer` that cannot be set later. */
export const HTTP_SERVER_OPTIONS = {
  maxHeaderSize: SERVER_LIMITS.headerBytes,
  connectionsCheckingInterval: SERVER_LIMITS.checkIntervalMs,
  noDelay: true,
} as const;

export function limitServer(server: Server, maxWatchers: number): void {
  server.headersTimeout = SERVER_LIMITS.headersTimeoutMs;
  server.requestTimeout = SERVER_LIMITS.requestTimeoutMs;
  server.timeout = SERVER_LIMITS.inactivityTimeoutMs;
  server.keepAliveTimeout = SERVER_LIMITS.keepAliveTimeoutMs;
  server.maxConnections = maxWatchers + SERVER_LIMITS.requestConnections;
}
