/** Why the server does not start: one line for the operator, without any secret. */
export class StartError extends Error {
  constructor(line: string, options?: { cause?: unknown }) {
    super(line, options);
    this.name = 'StartError';
  }
}
