import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '#replication';
import type { WatchHandle } from '#watch';
import { ENGINE } from '../replication';
import { EventStream } from './event-stream';
import { OperationTimer } from './operation-timer';
import { readWatch } from './read-watch';
import { accessOf } from './request-access';

/** Ties a watcher's connection to the engine's stream: what is written, when there is room again, when it is gone. */
@Injectable()
export class WatchService {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly timer: OperationTimer,
  ) {}

  /** Resolves once the stream stands; it then lives on its own. */
  watch(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('watch', async () => {
      const wanted = readWatch(request.raw.url ?? '', request.headers, accessOf(request), Date.now());
      const stream = new EventStream(reply);
      const response = reply.raw;
      if (request.method === 'HEAD') return stream.end();
      let handle: WatchHandle | undefined = undefined;
      // The engine may write before it answers, and the client may go away meanwhile.
      response.on('close', () => handle?.close());
      response.on('error', () => handle?.close());
      response.on('drain', () => handle?.drained());
      handle = await this.engine.watch(wanted, stream);
      if (response.destroyed || response.socket?.destroyed) return handle.close();
      stream.open();
      // What drained before there was a handle to tell is told now.
      if (!response.writableNeedDrain) handle.drained();
    });
  }
}
