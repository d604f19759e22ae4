import { Controller, Get, Patch, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { StateError } from '#contracts';

/** Requests of the contract that this version does not serve: refused by name, with the right capability asked for. */
@ApiExcludeController()
@Controller('v1/:ns')
export class UnsupportedController {
  @Patch('objects/:id')
  @RouteConfig({ capability: 'PUT' })
  patch(): never {
    throw notSupported('PATCH');
  }

  @Get('objects/:id/history')
  @RouteConfig({ capability: 'GET' })
  history(): never {
    throw notSupported('history');
  }

  @Post('batch')
  @RouteConfig({ capability: 'PUT' })
  batch(): never {
    throw notSupported('batch');
  }

  @Post(['lease/acquire', 'lease/renew', 'lease/release'])
  @RouteConfig({ capability: 'LEASE' })
  changeLease(): never {
    throw notSupported('lease');
  }

  @Get('lease/:key')
  @RouteConfig({ capability: 'LEASE' })
  readLease(): never {
    throw notSupported('lease');
  }
}

function notSupported(what: string): StateError {
  return new StateError('not_found', `The request ${what} is not supported by this version.`);
}
