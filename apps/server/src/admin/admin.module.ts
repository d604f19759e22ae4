import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller';
import { ClusterController } from './cluster.controller';
import { ClusterService } from './cluster.service';
import { NamespacesController } from './namespaces.controller';
import { NamespacesService } from './namespaces.service';
import { SnapshotsController } from './snapshots.controller';
import { SnapshotsService } from './snapshots.service';

@Module({
  // The last one answers for every path that none before it has.
  controllers: [ClusterController, NamespacesController, SnapshotsController, AdminController],
  providers: [ClusterService, NamespacesService, SnapshotsService],
})
export class AdminModule {}
