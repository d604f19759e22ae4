import type { Socket } from 'node:net';
import { ADMIN_NAMESPACE, RESERVED_NAMESPACE_PREFIX, StateError } from '#contracts';
import type { NamespaceSettings } from '#replication';
import type { CapabilityKey, ServerConfig } from '../config';
import type { ServerMetrics } from '../metrics';
import { checkNamespace } from '../http/identifiers';
import type { Access } from './access';
import { AuthFailures } from './auth-failures';
import { type Capability, type CapabilityOperation, grantsNamespace } from './capability';
import { RateLimiter } from './rate-limiter';
import { type TokenResult, TokenVerifier, UNKNOWN_KEY_LABEL } from './token-verifier';

const BEARER = /^Bearer +([^ ]+) *$/i;

/** What a request shows of who sends it. */
export interface Credentials {
  readonly headers: { readonly authorization?: string };
  readonly socket: Pick<Socket, 'remoteAddress'>;
}

/** Decides whether a request may go on, from its headers and path alone, so that no body is read for nothing. */
export class Authorizer {
  private verifier: TokenVerifier;
  private isOpen: boolean;
  private readonly limiter = new RateLimiter();
  private readonly failures: AuthFailures;

  constructor(
    private readonly config: ServerConfig,
    private readonly metrics: ServerMetrics,
    /** What an operator has set for a namespace; a lookup in memory. */
    private readonly settingsOf: (ns: string) => NamespaceSettings | undefined,
  ) {
    this.verifier = this.verifierOf(config.capabilityKeys);
    this.isOpen = config.capabilityKeys.length === 0;
    this.failures = new AuthFailures(config.authFailureLimitQps);
    metrics.nameOnly((ns) => settingsOf(ns)?.regions?.includes(config.region) ?? true);
  }

  /** From now on these keys count, and no other; there is at least one. */
  useKeys(keys: readonly CapabilityKey[]): void {
    if (keys.length === 0) throw new Error('a server with keys does not become an open one');
    this.verifier = this.verifierOf(keys);
    this.isOpen = false;
  }

  /** Access to a namespace's route. The order is the contract's: who, what is asked for, where, how often. */
  authorize(operation: CapabilityOperation, nsParameter: string, credentials: Credentials): Access {
    const nowMs = Date.now();
    const capability = this.capabilityOf(credentials, nowMs);
    const ns = checkNamespace(nsParameter);
    if (ns.startsWith(RESERVED_NAMESPACE_PREFIX)) {
      throw new StateError('namespace_denied', `Namespaces under ${RESERVED_NAMESPACE_PREFIX} are reserved.`);
    }
    if (capability) this.checkCapability(capability, operation, ns);
    const settings = this.settingsOf(ns);
    // Before the limits: no count of a pinned namespace is kept where it may not be.
    if (settings?.regions) this.checkPin(operation, settings.regions);
    if (capability) this.limitToken(capability, ns, nowMs);
    const { rateLimitQps } = this.config;
    if (rateLimitQps > 0) this.limit(ns, `n:${ns}`, rateLimitQps, nowMs);
    if (settings?.maxQps !== undefined) this.limit(ns, `s:${ns}`, settings.maxQps, nowMs);
    const bodyLimitBytes = Math.min(this.bodyLimitBytes(capability), settings?.maxBytes ?? Infinity);
    return { ns, operation, capability, bodyLimitBytes };
  }

  /** Access to `/admin`: operation `ADMIN` on the namespace that stands for the cluster, named and not by `*`. */
  authorizeAdmin(credentials: Credentials): Access {
    const nowMs = Date.now();
    const capability = this.capabilityOf(credentials, nowMs);
    if (capability) {
      const named = capability.namespaces.filter(({ text }) => text.startsWith(RESERVED_NAMESPACE_PREFIX));
      this.checkCapability({ ...capability, namespaces: named }, 'ADMIN', ADMIN_NAMESPACE);
      this.limitToken(capability, ADMIN_NAMESPACE, nowMs);
    }
    return { ns: '', operation: 'ADMIN', capability, bodyLimitBytes: this.bodyLimitBytes(capability) };
  }

  /** What a request of an operator names in its body or query, where no path has said it: as for a path. */
  refuseOutside(ns: string, operation: CapabilityOperation): void {
    const regions = this.settingsOf(ns)?.regions;
    if (regions) this.checkPin(operation, regions);
  }

  private capabilityOf({ headers, socket }: Credentials, nowMs: number): Capability | undefined {
    if (this.isOpen) return undefined;
    const { authorization } = headers;
    const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
    if (token !== undefined && this.verifier.remembers(token)) return this.verifier.verify(token, nowMs);
    try {
      this.failures.checkAddress(socket.remoteAddress, nowMs);
    } catch (error) {
      this.metrics.tokenUsed(UNKNOWN_KEY_LABEL, 'rate_limited' satisfies TokenResult);
      throw error;
    }
    try {
      if (token !== undefined) return this.verifier.verify(token, nowMs);
      throw this.unusable(authorization);
    } catch (error) {
      this.failures.count(socket.remoteAddress, nowMs);
      throw error;
    }
  }

  private unusable(authorization: string | undefined): StateError {
    const isMissing = authorization === undefined;
    this.metrics.tokenUsed(UNKNOWN_KEY_LABEL, (isMissing ? 'missing' : 'malformed') satisfies TokenResult);
    return isMissing
      ? new StateError('token_missing', 'Send a capability: Authorization: Bearer <token>.')
      : new StateError('token_malformed', 'The Authorization header must be: Bearer <token>.');
  }

  private verifierOf(keys: readonly CapabilityKey[]): TokenVerifier {
    return new TokenVerifier(keys, (keyId, result) => this.metrics.tokenUsed(keyId, result));
  }

  private checkCapability(capability: Capability, operation: CapabilityOperation, ns: string): void {
    const { regions } = capability;
    const { region } = this.config;
    if (regions && !regions.includes(region)) {
      this.metrics.refusedByRegion(operation, 'token');
      throw new StateError('region_not_allowed', 'The token is not good in the region of this node.', {
        region,
        allowed_regions: regions,
      });
    }
    if (!grantsNamespace(capability, ns)) {
      throw new StateError('namespace_denied', 'The token does not grant this namespace.');
    }
    if (!capability.operations.has(operation)) {
      throw new StateError('operation_denied', `The token does not grant the operation ${operation}.`);
    }
  }

  private checkPin(operation: CapabilityOperation, regions: readonly string[]): void {
    const { region } = this.config;
    if (regions.includes(region)) return;
    this.metrics.refusedByRegion(operation, 'pin');
    throw new StateError(
      'region_not_allowed',
      'The namespace is pinned to regions that this node is not in.',
      {
        region,
        allowed_regions: regions,
      },
    );
  }

  private limitToken({ maxQps, owner }: Capability, ns: string, nowMs: number): void {
    if (maxQps !== undefined) this.limit(ns, `t:${owner}`, maxQps, nowMs);
  }

  private limit(ns: string, subject: string, qps: number, nowMs: number): void {
    try {
      this.limiter.take(subject, qps, nowMs);
    } catch (error) {
      this.metrics.rateLimited(ns);
      throw error;
    }
  }

  private bodyLimitBytes(capability: Capability | undefined): number {
    return Math.min(this.config.maxBodyBytes, capability?.maxBodyBytes ?? Infinity);
  }
}
