import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { StateError } from '#contracts';

/** Holds the place of the admin requests: who may not ask is refused, who may is told that it is not there yet. */
@ApiExcludeController()
@Controller('admin')
export class AdminController {
  @Get('*')
  @RouteConfig({ capability: 'ADMIN' })
  read(): never {
    throw notSupported();
  }

  @Post('*')
  @RouteConfig({ capability: 'ADMIN' })
  act(): never {
    throw notSupported();
  }

  @Put('*')
  @RouteConfig({ capability: 'ADMIN' })
  change(): never {
    throw notSupported();
  }

  @Delete('*')
  @RouteConfig({ capability: 'ADMIN' })
  remove(): never {
    throw notSupported();
  }
}

function notSupported(): StateError {
  return new StateError('not_found', 'This admin request is not supported by this version.');
}
