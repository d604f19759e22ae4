import { NO_MEMBER, memberId, type NodeName } from '#contracts';
import type { PeerAddress } from '#replication';

import type { DropReason, FaultReason, RefusalReason, TransportOptions } from '../src/options';
import { openTransport, type Transport } from '../src/transport';

export const CLUSTER = 'cluster-under-test';
export const SECRET = 'a secret of the cluster under test';

/** Incarnations that differ in their last digits only. */
export const incarnationOf = (number: number): string => number.toString(16).padStart(32, '0');

/** A transport over loopback that keeps what arrives and what it counted. */
export class TestNode {
  readonly received: { from: number; kind: number; body: Buffer }[] = [];
  readonly refused: { reason: RefusalReason; by: 'us' | 'peer' }[] = [];
  readonly faults: FaultReason[] = [];
  readonly drops: DropReason[] = [];
  readonly logs: string[] = [];
  readonly peerEvents: { member: number; connected: boolean }[] = [];
  readonly roundTripsSeconds: number[] = [];
  lateAnswers = 0;
  answer: (from: number, kind: number, body: Buffer) => Promise<Uint8Array> = (_from, _kind, body) =>
    Promise.resolve(body);
  /** What a message goes through before it is kept; may throw. */
  read: (kind: number) => void = () => undefined;
  transport!: Transport;

  private constructor(readonly member: number) {}

  /** Member 0 has no cluster id either. */
  static async start(member: number, options: Partial<TransportOptions> = {}): Promise<TestNode> {
    const node = new TestNode(member);
    node.transport = await openTransport({
      listen: { host: '127.0.0.1', port: 0 },
      identity: {
        clusterId: member === NO_MEMBER ? undefined : CLUSTER,
        memberId: memberId(member),
        incarnation: incarnationOf(1_000 + member),
        name: `node-${member}` as NodeName,
        region: 'local',
      },
      credentials: { secret: SECRET },
      admit: () => ({ ok: true }),
      observer: {
        onRefused: (reason, by) => node.refused.push({ reason, by }),
        onFault: (reason) => node.faults.push(reason),
        onDropped: (_member, _channel, reason) => node.drops.push(reason),
        onLateAnswer: () => node.lateAnswers++,
        onRoundTrip: (_member, seconds) => node.roundTripsSeconds.push(seconds),
      },
      logger: {
        info: (message, fields) => node.logs.push(`${message} ${JSON.stringify(fields)}`),
        warn: (message, fields) => node.logs.push(`${message} ${JSON.stringify(fields)}`),
      },
      ...options,
    });
    node.transport.setHandlers({
      onMessage: (from, kind, body) => {
        node.read(kind);
        node.received.push({ from, kind, body: Buffer.from(body) });
      },
      onRequest: (from, kind, body) => node.answer(from, kind, Buffer.from(body)),
      onPeer: (peer, connected) => node.peerEvents.push({ member: peer, connected }),
    });
    return node;
  }

  /** How others reach this node, through `port` if it is not its own. */
  peer(port = this.transport.address.port): PeerAddress {
    return {
      member: memberId(this.member),
      name: `node-${this.member}` as NodeName,
      region: 'local',
      host: '127.0.0.1',
      port,
    };
  }

  refusals(reason: RefusalReason, by: 'us' | 'peer' = 'us'): number {
    return this.refused.filter((refusal) => refusal.reason === reason && refusal.by === by).length;
  }
}

/** Starts nodes and connects each to all others. */
export async function startCluster(
  size: number,
  options: Partial<TransportOptions> = {},
): Promise<TestNode[]> {
  const nodes: TestNode[] = [];
  for (let member = 1; member <= size; member++) nodes.push(await TestNode.start(member, options));
  for (const node of nodes) node.transport.setPeers(nodes.map((other) => other.peer()));
  await until('everybody is connected', () =>
    nodes.every((node) =>
      nodes.every((other) => other === node || node.transport.connected(memberId(other.member))),
    ),
  );
  return nodes;
}

/** Below the test runner's own limit, so that the message is ours. */
const DEADLINE_MS = 4_500;

/** Waits for a condition, however long it takes, and names it when it never comes. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > DEADLINE_MS) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
