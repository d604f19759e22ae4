import { fork } from 'node:child_process';

import { memberId, type MemberId, type NodeName } from '#contracts';

import { openTransport, type Transport } from '../src/transport';

// Two processes over loopback: how many small frames one link carries, and how fast a question is answered.
// Run the compiled file: node dist/libs/transport/bench/loopback.js

const FRAME_BYTES = 400;
const MESSAGES = 2_000_000;
const REQUESTS = 40_000;
const KIND = 1;

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

function open(member: number): Promise<Transport> {
  return openTransport({
    listen: { host: '127.0.0.1', port: 0 },
    identity: {
      clusterId: 'bench',
      memberId: memberId(member),
      incarnation: member.toString(16).padStart(32, '0'),
      name: `node-${member}` as NodeName,
      region: 'local',
    },
    credentials: { secret: 'a secret for the benchmark' },
    admit: () => ({ ok: true }),
  });
}

const peerAt = (member: MemberId, port: number): Parameters<Transport['setPeers']>[0] => [
  { member, name: 'peer' as NodeName, region: 'local', host: '127.0.0.1', port },
];

async function receive(): Promise<void> {
  let messages = 0;
  const transport = await open(2);
  transport.setHandlers({
    onMessage: () => messages++,
    onRequest: (_from, kind, body) =>
      Promise.resolve(kind === KIND ? body : Buffer.from(`${messages} ${process.cpuUsage().user}`)),
    onPeer: () => undefined,
  });
  process.send?.(transport.address.port);
  process.once('disconnect', () => void transport.close());
}

async function send(port: number): Promise<void> {
  const to = memberId(2);
  const transport = await open(1);
  await new Promise<void>((resolve) => {
    transport.setHandlers({
      onMessage: () => undefined,
      onRequest: () => Promise.reject(new Error('not asked')),
      onPeer: () => resolve(),
    });
    transport.setPeers(peerAt(to, port));
  });
  await measureMessages(transport, to);
  for (const inFlight of [1, 64]) await measureRequests(transport, to, inFlight);
  await transport.close();
}

async function measureMessages(transport: Transport, to: MemberId): Promise<void> {
  const parts = [Buffer.alloc(16), Buffer.alloc(FRAME_BYTES - 16)];
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  for (let sent = 0; sent < MESSAGES;) {
    for (let burst = 0; burst < 64 && sent < MESSAGES; burst++) {
      if (!transport.send(to, KIND, parts)) break;
      sent++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [received, userMicros] = Buffer.from(
    await transport.request(to, KIND + 1, Buffer.alloc(0), { timeoutMs: 60_000 }),
  )
    .toString()
    .split(' ');
  const seconds = (performance.now() - startMs) / 1_000;
  const sendMicros = process.cpuUsage(startCpu).user;
  report(
    `messages of ${FRAME_BYTES} bytes: ${Math.round(MESSAGES / seconds)}/s, ` +
      `${((MESSAGES * FRAME_BYTES) / seconds / 1e6).toFixed(0)} MB/s, received ${received}, user CPU a message: ` +
      `${(sendMicros / MESSAGES).toFixed(2)} us out, ${(Number(userMicros) / MESSAGES).toFixed(2)} us in`,
  );
}

async function measureRequests(transport: Transport, to: MemberId, inFlight: number): Promise<void> {
  const body = Buffer.alloc(FRAME_BYTES);
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    for (let count = 0; count < REQUESTS / inFlight; count++) {
      const askedMs = performance.now();
      await transport.request(to, KIND, body, { timeoutMs: 60_000 });
      latenciesMs.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const perSecond = (latenciesMs.length / (performance.now() - startMs)) * 1_000;
  const sorted = latenciesMs.sort((a, b) => a - b);
  const at = (quantile: number): string =>
    (sorted[Math.floor(quantile * sorted.length)] as number).toFixed(3);
  report(
    `requests, ${inFlight} in flight: ${Math.round(perSecond)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

if (process.send !== undefined) void receive();
else {
  const child = fork(__filename);
  child.once('message', (port) => void send(port as number).finally(() => child.disconnect()));
}
