import type { Socket } from 'node:net';
import { ADMIN_NAMESPACE, RESERVED_NAMESPACE_PREFIX, StateError } from '#contracts';
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
  ) {
    this.verifier = this.verifierOf(config.capabilityKeys);
    this.isOpen = config.capabilityKeys.length === 0;
    this.failures = new AuthFailures(config.authFailureLimitQps);
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
    if (capability) this.checkCapability(capability, operation, ns, nowMs);
    if (this.config.rateLimitQps > 0) this.limit(ns, `n:${ns}`, this.config.rateLimitQps, nowMs);
    return { ns, operation, capability, bodyLimitBytes: this.bodyLimitBytes(capability) };
  }

  /** Access to `/admin`: operation `ADMIN` on the namespace that stands for the cluster, named and not by `*`. */
  authorizeAdmin(credentials: Credentials): Access {
    const nowMs = Date.now();
    const capability = this.capabilityOf(credentials, nowMs);
    if (capability) {
      const named = capability.namespaces.filter(({ text }) => text.startsWith(RESERVED_NAMESPACE_PREFIX));
      this.checkCapability({ ...capability, namespaces: named }, 'ADMIN', ADMIN_NAMESPACE, nowMs);
    }
    return { ns: '', operation: 'ADMIN', capability, bodyLimitBytes: this.bodyLimitBytes(capability) };
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

  private checkCapability(
    capability: Capability,
    operation: CapabilityOperation,
    ns: string,
    nowMs: number,
  ): void {
    const { regions, maxQps, owner } = capability;
    const { region } = this.config;
    if (regions && !regions.includes(region)) {
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
