import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts } from './free-ports';
import { NatsServer } from './nats-server';

export const NATS_SECRETS = { NATS_PASSWORD: 'of-the-nodes', NATS_GATEWAY_PASSWORD: 'of-the-servers' };

/** Regions that deploy/nats has servers for. */
export const NATS_REGIONS = ['us-west-2', 'eu-west-1', 'ap-southeast-1'] as const;

/** One region's server as deploy/nats has it, on this machine: only hosts and ports are others. */
async function startRegion(folder: string, region: string, ports: ReadonlyMap<string, number>) {
  const source = path.join(__dirname, '../../deploy/nats/three-regions', `${region}.conf`);
  const config = readFileSync(source, 'utf8')
    .replace(/^listen:.*$/m, '')
    .replace(/^http:.*$/m, '')
    .replace('listen: "0.0.0.0:7222"', `listen: "127.0.0.1:${ports.get(region)}"`)
    .replace(/nats-([a-z0-9-]+)\.internal:7222/g, (_, other: string) => `127.0.0.1:${ports.get(other)}`);
  const file = path.join(folder, `${region}.conf`);
  await writeFile(file, config);
  return NatsServer.start(['--config', file], NATS_SECRETS);
}

/** A server in each region, joined by gateways, with the configurations that are shipped. */
export async function startNatsRegions(folder: string): Promise<ReadonlyMap<string, NatsServer>> {
  const free = await freePorts(NATS_REGIONS.length);
  const ports = new Map(NATS_REGIONS.map((region, at) => [region as string, free[at] ?? 0]));
  const servers = await Promise.all(NATS_REGIONS.map((region) => startRegion(folder, region, ports)));
  return new Map(NATS_REGIONS.map((region, at) => [region as string, servers[at] as NatsServer]));
}

/** What a node in a region is told of NATS. */
export function natsEnvironment(region: string, server: NatsServer): Readonly<Record<string, string>> {
  return {
    NATS_URL: server.url,
    NATS_USER: `agentstate-${region}`,
    NATS_PASSWORD: NATS_SECRETS.NATS_PASSWORD,
  };
}
