import { type DynamicModule, Global, Module } from '@nestjs/common';

/** Where the server stands in its life; what answers may say about it. */
export class Lifecycle {
  /** It listens, and has no engine yet that could serve. */
  isStarting = true;
  /** What it does or waits for while it starts. */
  startingOn = 'opening the data folder';
  isDraining = false;
  /** It will be stopped soon, and still answers: for load balancers, which then send nothing new. */
  isLeaving = false;
}

@Global()
@Module({})
export class LifecycleModule {
  static register(lifecycle: Lifecycle): DynamicModule {
    return {
      module: LifecycleModule,
      providers: [{ provide: Lifecycle, useValue: lifecycle }],
      exports: [Lifecycle],
    };
  }
}
