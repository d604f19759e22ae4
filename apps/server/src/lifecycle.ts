import { type DynamicModule, Global, Module } from '@nestjs/common';

/** Where the server stands in its life; what answers may say about it. */
export class Lifecycle {
  /** What it does or waits for while it starts. */
  startingOn = 'opening the data folder';
  isDraining = false;
  /** It will be stopped soon, and still answers: for load balancers, which then send nothing new. */
  isLeaving = false;
  private hasStarted = false;
  private readonly waiting = new Set<() => void>();

  /** It listens, and has no engine yet that could serve. */
  get isStarting(): boolean {
    return !this.hasStarted;
  }

  /** From now on it serves; whoever waited for that goes on at once. */
  started(): void {
    this.hasStarted = true;
    for (const goOn of this.waiting) goOn();
  }

  /** Resolves when it serves, and after `ms` milliseconds at the latest. */
  whenStarted(ms: number): Promise<void> {
    if (this.hasStarted) return Promise.resolve();
    return new Promise((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, ms).unref();
      this.waiting.add(goOn);
    });
  }
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
