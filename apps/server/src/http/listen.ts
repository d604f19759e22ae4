import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../config';

/** Connections that the kernel holds while the event loop is busy. */
const BACKLOG = 1_024;

/** Listens and gives the port; `variable` is what an operator would change when that fails. */
export function listen(
  server: Server,
  address: { readonly host: string; readonly port: number; readonly variable: string },
): Promise<number> {
  const { host, port, variable } = address;
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void =>
      reject(
        new StartError(`cannot listen on ${host}:${port} (${error.code}): change ${variable} or HTTP_HOST.`),
      );
    server.once('error', onError);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeListener('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops accepting and ends what is idle; resolves when the last connection has ended. */
export function closeServer(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
