import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller';
import { ClusterController } from './cluster.controller';
import { ClusterService } from './cluster.service';

@Module({ controllers: [ClusterController, AdminController], providers: [ClusterService] })
export class AdminModule {}
