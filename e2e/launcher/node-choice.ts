import type { ClusterNode } from './cluster-node';

/** An answer that took longer makes a client avoid the node. */
const SLOW_MS = 1_000;
const AVOID_MS = 6_000;
const MOVE_CHANCE = 0.02;

/**
 * The node that one client asks next. Clients spread over the nodes and stay there, so that a node that hangs does not
 * catch all of them; from one that did not serve they go to another.
 */
export class NodeChoice {
  private readonly avoidedUntilMs = new Map<ClusterNode, number>();
  private failed: ClusterNode | undefined;

  constructor(
    private readonly nodes: () => readonly ClusterNode[],
    private current: ClusterNode | undefined,
  ) {}

  /** Puts a question to a node, and notes how that went: `isServed` says it of the answer. */
  async ask<Answer>(
    question: (node: ClusterNode) => Promise<Answer>,
    isServed: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const node = this.next();
    const askedAtMs = performance.now();
    const answer = await question(node);
    // A client that waited in vain goes elsewhere for a while, as a load balancer would make it.
    if (performance.now() - askedAtMs > SLOW_MS) this.avoidedUntilMs.set(node, performance.now() + AVOID_MS);
    this.current = isServed(answer) ? node : undefined;
    this.failed = isServed(answer) ? undefined : node;
    return answer;
  }

  private next(): ClusterNode {
    const nodes = this.nodes();
    const answering = nodes.filter(
      (node) => node !== this.failed && (this.avoidedUntilMs.get(node) ?? 0) < performance.now(),
    );
    const isGood = this.current !== undefined && answering.includes(this.current);
    if (isGood && Math.random() >= MOVE_CHANCE) return this.current as ClusterNode;
    return pick(answering.length > 0 ? answering : nodes);
  }
}

export function pick<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
