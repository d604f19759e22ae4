/** What a command has of the world around it. Tests give their own. */
export interface Terminal {
  readonly environment: NodeJS.ProcessEnv;
  /** For what was asked: the only thing on stdout, so that it can be piped. `false`: wait before there is more. */
  out(text: string): unknown;
  /** For everything said beside it. */
  err(text: string): void;
  /** Whether a person reads what goes out: then it may be coloured. */
  readonly isInteractive?: boolean;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** A person at a keyboard; absent where the program runs without one. */
  readonly person?: Person;
}

/** Who is there to be asked and to be shown what goes on. */
export interface Person {
  /** Resolves with the line that was typed; with an empty one when the input ended. */
  ask(question: string): Promise<string>;
}

/** 0 success, 1 failure, 2 usage. */
export const ExitCode = { success: 0, failure: 1, usage: 2 } as const;

/** The command line was understood but what it asks for cannot be done; the message is for the person. */
export class CommandFailure extends Error {}

/** The command line itself is wrong. */
export class UsageError extends Error {}
