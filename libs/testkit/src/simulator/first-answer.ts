import type { CommandOutcome } from '#contracts';

const decoder = new TextDecoder();

/** Judges what one command is answered that is sent again under its idempotency key: each time its first answer. */
export class FirstAnswer {
  private text: string | undefined;

  get isKnown(): boolean {
    return this.text !== undefined;
  }

  /** Takes the next answer; says what is wrong with it, if anything is. */
  faultOf(outcome: CommandOutcome): string | undefined {
    const text = answerText(outcome);
    if (this.text === undefined) {
      this.text = text;
      return undefined;
    }
    if (text !== this.text)
      return `was answered ${this.text} and then, under the same idempotency key, ${text}`;
    return outcome.replayed === true ? undefined : `was answered ${text} twice, not as a repetition`;
  }
}

/** All that a client is told, apart from whether it is told again. */
export function answerText(outcome: CommandOutcome): string {
  return JSON.stringify({ ...outcome, replayed: undefined }, (_, value: unknown) =>
    value instanceof Uint8Array ? decoder.decode(value) : value,
  );
}
