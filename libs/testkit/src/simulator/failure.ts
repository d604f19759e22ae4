/** A promise of the system is broken, or a part of it threw: the run ends here. */
export class SimulationFailure extends Error {
  constructor(what: string, options?: { cause?: unknown }) {
    super(what, options);
    this.name = 'SimulationFailure';
  }
}

/** The disk refused, as the simulation had it do: the process must end, and that is no mistake. */
export function isDiskFailure(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return code === 'EIO' || code === 'ENOSPC';
}
