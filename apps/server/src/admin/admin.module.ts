import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller';
import { ClusterController } from './cluster.controller';
import { ClusterService } from './cluster.service';
import { NamespacesController } from './namespaces.controller';
import { NamespacesService } from './namespaces.service';

@Module({
  // The last one answers for every path that none before it has.
  controllers: [ClusterController, NamespacesController, AdminController],
  providers: [ClusterService, NamespacesService],
})
export class AdminModule {}
