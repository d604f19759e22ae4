import type { Access } from '../auth/access';
import type { CapabilityOperation } from '../auth/capability';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the gate on every route that needs a capability. */
    access: Access | undefined;
  }
  interface FastifyContextConfig {
    /** What a token must grant for this route; absent on routes that are open. */
    capability?: CapabilityOperation;
    /** Media types that a body of this route may have; JSON alone when absent. */
    mediaTypes?: readonly string[];
  }
}
