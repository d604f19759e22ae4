import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult, LoadRun } from './load-generator';
import type { LoadRequest } from './workload';

// Built to dist/bench/, while the script stays with the sources.
const SCRIPT = path.join(__dirname, '../../bench/wrk.lua');

export async function wrkLoad({ port, requests, connections, seconds }: LoadRun): Promise<LoadResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-wrk-'));
  try {
    const list = path.join(folder, 'requests');
    await writeFile(list, requests.map(line).join(''));
    const options = ['--threads', '1', '--connections', `${connections}`, '--duration', `${seconds}s`];
    const url = `http://127.0.0.1:${port}`;
    const args = [...options, '--script', SCRIPT, url, '--', list];
    const { stdout } = await promisify(execFile)('wrk', args);
    return loadResult(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const line = ({ method, path, body }: LoadRequest): string => `${method}\t${path}\t${body ?? ''}\n`;

function loadResult(output: string): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk gave no result:\n${output}`);
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
