import { hashText } from './random';

const KEPT_LINES = 60;

/** What happened, in order: the last lines for people, and a fingerprint of all for comparing two runs. */
export class Trace {
  private readonly lines: string[] = [];
  private next = 0;
  private hash = 0;
  count = 0;

  note(timeMs: number, who: string, what: string): void {
    const line = `${timeMs.toFixed(3)} ${who} ${what}`;
    this.hash = hashText(line, this.hash);
    this.count++;
    this.lines[this.next] = line;
    this.next = (this.next + 1) % KEPT_LINES;
  }

  fingerprint(): string {
    return this.hash.toString(16).padStart(8, '0');
  }

  last(): string {
    return [...this.lines.slice(this.next), ...this.lines.slice(0, this.next)]
      .map((line) => `  ${line}`)
      .join('\n');
  }
}
