import { Simulation, type SimulationOptions, type SimulationReport } from './simulation';

export type SimulationOutcome =
  | { readonly passed: true; readonly report: SimulationReport }
  | {
      readonly passed: false;
      readonly seed: number;
      readonly steps: number;
      /** What is wrong, with the place in the code that found it. */
      readonly failure: string;
      /** The last events before it, oldest first. */
      readonly trace: string;
    };

/** Runs one seed. What the nodes reject and nobody hears is a failure as well. */
export async function simulate(options: SimulationOptions): Promise<SimulationOutcome> {
  const simulation = new Simulation(options);
  const onUnheard = (error: unknown): void => simulation.broken(error);
  process.on('unhandledRejection', onUnheard);
  try {
    return { passed: true, report: await simulation.run() };
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { trace } = simulation;
    return { passed: false, seed: options.seed, steps: trace.count, failure, trace: trace.last() };
  } finally {
    process.off('unhandledRejection', onUnheard);
  }
}
