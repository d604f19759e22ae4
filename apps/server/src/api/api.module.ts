import { Module } from '@nestjs/common';
import { BatchController } from './batch.controller';
import { EngineWrites } from './engine-writes';
import { LeasesController } from './leases.controller';
import { LeasesService } from './leases.service';
import { ObjectsController } from './objects.controller';
import { ObjectsService } from './objects.service';
import { OperationTimer } from './operation-timer';
import { QueryController } from './query.controller';
import { UnsupportedController } from './unsupported.controller';
import { WatchController } from './watch.controller';
import { WatchService } from './watch.service';

@Module({
  controllers: [
    ObjectsController,
    BatchController,
    QueryController,
    LeasesController,
    WatchController,
    UnsupportedController,
  ],
  providers: [ObjectsService, LeasesService, WatchService, EngineWrites, OperationTimer],
})
export class ApiModule {}
