import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { NatsBus } from '#nats';
import { NATS_SECRETS, startNatsRegions } from './launcher/nats-regions';
import { NatsServer } from './launcher/nats-server';
import { until } from './launcher/until';

const SILENT = { info: () => undefined, warn: () => undefined };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * The goal: what is published for a region cannot be received in another one, with the servers' configurations as
 * they are shipped. The method: real servers joined by gateways, and nodes' connections in each region.
 */
describe('NATS servers joined by gateways', () => {
  test('carry what lives everywhere, and keep what lives in one region inside', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-nats-'));
    const servers = await startNatsRegions(folder);
    const buses = [...servers].map(([region, server]) =>
      NatsBus.open({
        urls: [server.url],
        name: region,
        clusterId: 'c',
        credentials: { kind: 'user', user: `agentstate-${region}`, password: NATS_SECRETS.NATS_PASSWORD },
        logger: SILENT,
      }),
    );
    try {
      const [us, eu] = buses as [NatsBus, NatsBus];
      await until('connections that end at their regions', () => {
        return buses.every((bus) => bus.carries('default') && bus.carries('in+x'));
      });
      const heard: string[] = [];
      const listen = (bus: NatsBus, who: string, placement: string, key: string): void => {
        bus.subscribe({ placement, key }, (message) =>
          heard.push(`${who} ${Buffer.from(message).toString()}`),
        );
      };
      listen(us, 'us', 'default', 'k');
      // A node would not ask for this; one that does is refused.
      listen(us, 'us', 'in+eu-west-1', 'k');
      listen(us, 'us', '*', 'k');
      await until('the refusal', () => !us.carries('in+eu-west-1'));
      const pinned = { placement: 'in+eu-west-1', key: 'k' };
      // Interest travels over gateways: until the first message has come through, both are published again.
      await until('a message through the gateway', () => {
        expect(eu.publish(pinned, bytes('pinned'))).toBe(true);
        expect(eu.publish({ placement: 'default', key: 'k' }, bytes('everywhere'))).toBe(true);
        return heard.length > 2;
      });
      expect([...new Set(heard)]).toEqual(['us everywhere']);
    } finally {
      await Promise.all(buses.map((bus) => bus.close()));
      for (const server of servers.values()) server.kill();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a server where anybody may listen to everything is not given what is pinned', async () => {
    const server = await NatsServer.start();
    const bus = NatsBus.open({
      urls: [server.url],
      name: 'open',
      clusterId: 'c',
      credentials: { kind: 'none' },
      logger: SILENT,
    });
    let changes = 0;
    bus.onChange(() => changes++);
    try {
      // One for the connection, and one when it was found out how much it may listen to.
      await until('the connection to be tried', () => changes > 1);
      expect(bus.carries('default')).toBe(true);
      expect(bus.carries('in+eu-west-1')).toBe(false);
      expect(bus.publish({ placement: 'in+eu-west-1', key: 'k' }, bytes('pinned'))).toBe(false);
    } finally {
      await bus.close();
      server.kill();
    }
  });
});
