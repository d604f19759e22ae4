import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EntryKind, groupId, type LogEntry, logIndex, NO_MEMBER, term } from '#contracts';
import { openLog } from '#wal';
import { runProgram } from '../program';

/** The goal: an operator learns whether a log is sound. The method: real logs, whole, torn and damaged. */
describe('wal verify', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), 'agentstate-cli-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  async function verify(...more: string[]): Promise<{ out: string; err: string; code: number }> {
    let out = '';
    let err = '';
    const code = await runProgram(['wal', 'verify', '--data-dir', dataDir, ...more], {
      environment: {},
      out: (text) => (out += text),
      err: (text) => (err += text),
      nowMs: () => 0,
    });
    return { out, err, code: code ?? 0 };
  }

  async function writeLog(): Promise<void> {
    const log = await openLog({
      dir: path.join(dataDir, 'wal'),
      onFatal: (error) => {
        throw error;
      },
      segmentBytes: 4_096,
    });
    const entries = Array.from({ length: 3 }, (_, at): LogEntry => {
      return {
        term: term(1),
        index: logIndex(at + 1),
        kind: EntryKind.normal,
        data: new Uint8Array(100).fill(at),
      };
    });
    const hardState = { term: term(1), vote: NO_MEMBER, commit: logIndex(2) };
    await new Promise<void>((durable) => log.append([{ group: groupId(7), hardState, entries }], durable));
    await log.close();
  }

  function change(edit: (bytes: Buffer) => void): void {
    const [name = ''] = readdirSync(path.join(dataDir, 'wal')).filter((file) => /^\d\w*\.wal$/.test(file));
    const file = path.join(dataDir, 'wal', name);
    const bytes = readFileSync(file);
    edit(bytes);
    writeFileSync(file, bytes);
  }

  test('a sound log is ok', async () => {
    await writeLog();
    const { out, err, code } = await verify();
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toContain('group 7: entries 1 to 3, term 1, commit 2');
    expect(out).toMatch(/\nok\n$/);
  });

  test('a torn tail is told, and is no failure', async () => {
    await writeLog();
    change((bytes) => bytes.fill(0, bytes.indexOf(Buffer.alloc(100, 2)) + 50));
    const { out, code } = await verify();
    expect(code).toBe(0);
    expect(out).toContain('group 7: entries 1 to 2');
    expect(out).toContain('torn tail');
  });

  test('damage before sound records is corruption', async () => {
    await writeLog();
    change((bytes) =>
      bytes.fill(9, bytes.indexOf(Buffer.alloc(100, 1)), bytes.indexOf(Buffer.alloc(100, 1)) + 1),
    );
    const { out, code } = await verify();
    expect(code).toBe(1);
    expect(out).toContain('CORRUPT');
    const json = await verify('--output', 'json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ damage: { kind: 'corruption' } });
  });

  test('a folder without a log is said so', async () => {
    expect(await verify()).toMatchObject({
      out: '',
      code: 1,
      err: expect.stringContaining('there is no log in') as string,
    });
  });
});
