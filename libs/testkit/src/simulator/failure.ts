/** A promise of the system is broken, or a part of it threw: the run ends here. */
export class SimulationFailure extends Error {
  constructor(what: string, options?: { cause?: unknown }) {
    super(what, options);
    this.name = 'SimulationFailure';
  }
}
