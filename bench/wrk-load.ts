import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult, LoadRun } from './load-generator';
import { KEYS, OBJECTS_PATH, requestBody } from './workload';

// Built to dist/bench/, while the script stays with the sources.
const SCRIPT = path.join(__dirname, '../../bench/wrk.lua');

export async function wrkLoad({ port, method, connections, seconds }: LoadRun): Promise<LoadResult> {
  const url = `http://127.0.0.1:${port}`;
  const options = ['--threads', '1', '--connections', `${connections}`, '--duration', `${seconds}s`];
  const args = ['--', method, OBJECTS_PATH, `${KEYS}`, requestBody(0)];
  const { stdout } = await promisify(execFile)('wrk', [...options, '--script', SCRIPT, url, ...args]);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk gave no result:\n${stdout}`);
  const result = JSON.parse(line) as Record<'requests' | 'micros' | 'errors' | 'p50' | 'p95' | 'p99', number>;
  if (result.errors > 0) throw new Error(`${result.errors} answers were errors`);
  return {
    perSecond: (result.requests * 1e6) / result.micros,
    latency: {
      count: result.requests,
      p50: result.p50 / 1000,
      p95: result.p95 / 1000,
      p99: result.p99 / 1000,
    },
  };
}
