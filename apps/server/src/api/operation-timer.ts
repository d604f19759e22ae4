import { Injectable } from '@nestjs/common';
import { type ApiOperation, ServerMetrics } from '../metrics';
import { stateErrorOf } from '../errors';

/** Counts and times what the API does, whatever comes of it. */
@Injectable()
export class OperationTimer {
  constructor(private readonly metrics: ServerMetrics) {}

  async run(operation: ApiOperation, action: () => Promise<void>): Promise<void> {
    const startMs = performance.now();
    let result = 'ok';
    try {
      await action();
    } catch (error) {
      result = stateErrorOf(error).code;
      throw error;
    } finally {
      this.metrics.ops.record(operation, result, (performance.now() - startMs) / 1_000);
    }
  }
}
