import { FileWatch, type TlsFiles } from '../config';
import type { Logger } from '../logging';
import { type TlsMaterial, type TlsUse, loadTlsMaterial } from './tls-material';

/** Certificates that end within this time are warned of when they are loaded. */
const SOON_MS = 7 * 24 * 3_600_000;

export interface TlsTelling {
  readonly logger: Logger;
  /** The end of the certificate now in use, in seconds since 1970. */
  certificateLoaded(use: TlsUse, notAfterSeconds: number): void;
}

/** The certificate files of one use, loaded, and again whenever they change. */
export class ReloadingTls {
  private readonly watch: FileWatch;
  private loaded: TlsMaterial;

  /** Throws a `StartError` when the files cannot be used. */
  constructor(
    private readonly files: TlsFiles,
    private readonly use: TlsUse,
    lookEveryMs?: number,
  ) {
    const { certPath, keyPath, clientCaPath } = files;
    const paths = [certPath, keyPath, ...(clientCaPath === undefined ? [] : [clientCaPath])];
    this.watch = new FileWatch(paths, lookEveryMs);
    this.loaded = loadTlsMaterial(files, use);
  }

  get material(): TlsMaterial {
    return this.loaded;
  }

  /**
   * Calls `apply` when there is new material, for connections made from then on. What cannot be used is logged, and
   * the material that is in use stays.
   */
  follow(telling: TlsTelling, apply: () => void): void {
    const { use, files } = this;
    this.tell(telling);
    this.watch.start(() => {
      const before = this.loaded;
      try {
        this.loaded = loadTlsMaterial(files, use);
        apply();
      } catch (error) {
        this.loaded = before;
        const reason = (error as Error).message;
        telling.logger.error({ use, reason }, 'changed TLS files cannot be used: the old ones are kept');
        return;
      }
      telling.logger.info({ use, certificate: files.certPath }, 'changed TLS files are in use');
      this.tell(telling);
    });
  }

  close(): void {
    this.watch.close();
  }

  private tell(telling: TlsTelling): void {
    const { notAfterMs } = this.loaded;
    telling.certificateLoaded(this.use, notAfterMs / 1_000);
    const leftMs = notAfterMs - Date.now();
    if (leftMs > SOON_MS) return;
    telling.logger.warn(
      { use: this.use, certificate: this.files.certPath, not_after: new Date(notAfterMs).toISOString() },
      leftMs > 0 ? 'the TLS certificate ends soon' : 'the TLS certificate has ended',
    );
  }
}
