import { deflateRaw, inflateRawSync } from 'node:zlib';

/** How rows are compressed. Injected, because the real one works in a pool of threads. */
export interface Compression {
  deflate(bytes: Uint8Array): Promise<Uint8Array>;
}

/** The fastest level: rows are read from the disk faster than better ones compress. */
export const DEFLATE_OPTIONS = { level: 1 } as const;

/** Raw DEFLATE (RFC 1951) in libuv's pool. */
export const POOL_COMPRESSION: Compression = {
  deflate: (bytes) =>
    new Promise((resolve, reject) => {
      deflateRaw(bytes, DEFLATE_OPTIONS, (error, result) => (error ? reject(error) : resolve(result)));
    }),
};

/** Throws unless the bytes inflate to exactly `rawBytes`. */
export function inflate(stored: Uint8Array, rawBytes: number): Uint8Array {
  const raw = inflateRawSync(stored, { maxOutputLength: Math.max(1, rawBytes) });
  if (raw.length !== rawBytes) throw new Error(`${raw.length} bytes where ${rawBytes} were compressed`);
  return raw;
}
