import { Module } from '@nestjs/common';
import { ObjectsController } from './objects.controller';
import { ObjectsService } from './objects.service';
import { OperationTimer } from './operation-timer';
import { QueryController } from './query.controller';
import { UnsupportedController } from './unsupported.controller';
import { WatchController } from './watch.controller';
import { WatchService } from './watch.service';

@Module({
  controllers: [ObjectsController, QueryController, WatchController, UnsupportedController],
  providers: [ObjectsService, WatchService, OperationTimer],
})
export class ApiModule {}
