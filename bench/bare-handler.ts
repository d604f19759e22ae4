import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Param, Put } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { requestBody } from './workload';

/**
 * The same HTTP work with nothing behind it: the ceiling that NestJS and Fastify set on this machine at this
 * moment. It parses what the server parses and answers as many bytes.
 */
@Controller('v1/:ns/objects')
class BareController {
  private readonly stored = answer('object-0', JSON.parse(requestBody(0)) as object);

  @Put(':id')
  @HttpCode(200)
  put(@Param('id') id: string, @Body() object: object): string {
    return answer(id, object);
  }

  @Get(':id')
  get(): string {
    return this.stored;
  }
}

function answer(id: string, object: object): string {
  return JSON.stringify({
    id,
    ns: 'agent://bench',
    ...object,
    parents: [],
    commit: '0'.repeat(64),
    commit_seq: 1,
    created_seq: 1,
    ts: '2026-01-01T00:00:00.000Z',
  });
}

@Module({ controllers: [BareController] })
class BareModule {}

async function main(): Promise<void> {
  const application = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
    logger: false,
  });
  application
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (_request, reply, payload, done) => {
      void reply.header('content-type', 'application/json');
      done(null, payload);
    });
  await application.listen(0, '127.0.0.1');
  const { port } = new URL(await application.getUrl());
  process.stdout.write(`${JSON.stringify({ http_port: Number(port) })}\n`);
}

void main();
