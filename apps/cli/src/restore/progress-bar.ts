import type { Terminal } from '../terminal';

const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar on one line of a person's terminal; nothing where there is none. */
export class ProgressBar {
  private drawnMs = 0;
  private isDrawn = false;

  constructor(private readonly terminal: Terminal) {}

  show(what: string, share: number): void {
    const { terminal } = this;
    if (terminal.person === undefined) return;
    const nowMs = terminal.nowMs();
    if (share < 1 && nowMs < this.drawnMs + REDRAW_MS) return;
    this.drawnMs = nowMs;
    this.isDrawn = true;
    const full = Math.round(Math.min(1, share) * WIDTH);
    const percent = String(Math.floor(Math.min(1, share) * 100)).padStart(3);
    terminal.err(`\r${'#'.repeat(full)}${'.'.repeat(WIDTH - full)} ${percent} %  ${what.padEnd(24)}`);
  }

  end(): void {
    if (this.isDrawn) this.terminal.err('\n');
    this.isDrawn = false;
  }
}
