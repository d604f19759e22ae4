import { stat } from 'node:fs/promises';
import { statSync, type Stats } from 'node:fs';

const INTERVAL_MS = 1_000;

/**
 * Says when files have changed. They are looked at once a second: mounted secrets change by swapping a link above
 * them, which the system's notifications about the file itself do not tell. Files that are written one after the
 * other are told of once, when they have stayed the same for one look.
 */
export class FileWatch {
  private told: string;
  private lastSeen: string;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** What the files are at this moment is taken as known: make the watch before they are read. */
  constructor(
    private readonly paths: readonly string[],
    private readonly intervalMs = INTERVAL_MS,
  ) {
    this.told = paths.map((path) => signature(statSync(path, { throwIfNoEntry: false }))).join();
    this.lastSeen = this.told;
  }

  /** Calls back after each change until {@link close}. */
  start(onChange: () => void): void {
    const next = (): void => {
      if (!this.closed)
        this.timer = setTimeout(() => void this.look(onChange).then(next), this.intervalMs).unref();
    };
    next();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async look(onChange: () => void): Promise<void> {
    const found = await Promise.all(this.paths.map((path) => stat(path).catch(() => undefined)));
    const seen = found.map(signature).join();
    const settled = seen === this.lastSeen;
    this.lastSeen = seen;
    if (this.closed || !settled || seen === this.told) return;
    this.told = seen;
    onChange();
  }
}

function signature(file: Stats | undefined): string {
  return file === undefined ? 'none' : `${file.ino}/${file.mtimeMs}/${file.size}`;
}
