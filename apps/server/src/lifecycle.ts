import { Global, Injectable, Module } from '@nestjs/common';

/** Where the server stands in its life; what answers may say about it. */
@Injectable()
export class Lifecycle {
  isDraining = false;
  /** It will be stopped soon, and still answers: for load balancers, which then send nothing new. */
  isLeaving = false;
}

@Global()
@Module({ providers: [Lifecycle], exports: [Lifecycle] })
export class LifecycleModule {}
