import { Controller, Get } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { StateError } from '#contracts';

/** Requests of the contract that this version does not serve: refused by name, with the right capability asked for. */
@ApiExcludeController()
@Controller('v1/:ns')
export class UnsupportedController {
  @Get('objects/:id/history')
  @RouteConfig({ capability: 'GET' })
  history(): never {
    throw notSupported('history');
  }
}

function notSupported(what: string): StateError {
  return new StateError('not_found', `The request ${what} is not supported by this version.`);
}
