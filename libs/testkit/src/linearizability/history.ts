/**
 * One operation as a client saw it. Times are any numbers that only grow over the whole history (event numbers,
 * simulated ticks, one machine's monotonic clock); they are compared, never subtracted.
 */
export interface Operation<Input, Output> {
  /** Who asked; for the explanation alone. */
  readonly process: string | number;
  readonly input: Input;
  readonly calledAt: number;
  /**
   * Absent when the outcome is unknown: the operation never returned, or returned a timeout. It may then take
   * effect at any moment after its call, or never. An operation that was refused for certain before it had any
   * effect does not belong in the history.
   */
  readonly completion?: Completion<Output>;
}

export interface Completion<Output> {
  readonly output: Output;
  /** At or after `calledAt`. An operation called at the moment another returns counts as concurrent with it. */
  readonly returnedAt: number;
}

export type History<Input, Output> = readonly Operation<Input, Output>[];

/** Records calls and answers in the order in which they are reported, which becomes their time. */
export class HistoryRecorder<Input, Output> {
  private eventCount = 0;
  private readonly operations: {
    process: string | number;
    input: Input;
    calledAt: number;
    completion?: Completion<Output>;
  }[] = [];

  /** Notes a call and gives the handle to complete it with. Report it before the request leaves. */
  call(process: string | number, input: Input): number {
    this.operations.push({ process, input, calledAt: this.eventCount++ });
    return this.operations.length - 1;
  }

  /** Notes the answer. Leave it out when the outcome is unknown. */
  complete(handle: number, output: Output): void {
    const operation = this.operations[handle];
    if (!operation) throw new Error(`no operation has the handle ${handle}`);
    if (operation.completion) throw new Error(`operation ${handle} was completed twice`);
    operation.completion = { output, returnedAt: this.eventCount++ };
  }

  history(): History<Input, Output> {
    return this.operations.map((operation) => ({ ...operation }));
  }
}
