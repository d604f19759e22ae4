import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller';
import { ClusterController } from './cluster.controller';
import { ClusterService } from './cluster.service';
import { SnapshotsController } from './snapshots.controller';
import { SnapshotsService } from './snapshots.service';

@Module({
  controllers: [ClusterController, SnapshotsController, AdminController],
  providers: [ClusterService, SnapshotsService],
})
export class AdminModule {}
