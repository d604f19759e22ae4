import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../src/bootstrap';

const ENVIRONMENT = { DEV_MODE: 'true', HTTP_PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent' };

describe('a data folder', () => {
  it.each(['/proc/no-such-folder', '/etc/hostname/below'])(
    'that cannot be made, %s, stops the start',
    async (folder) => {
      await expect(serve({ ...ENVIRONMENT, DATA_DIR: folder })).rejects.toThrow(
        `DATA_DIR=${folder} cannot be written to`,
      );
    },
  );

  it('in use by another node stops the start, and is free again after that one', async () => {
    const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'data-folder-')), 'new', 'folder');
    const first = await serve({ ...ENVIRONMENT, DATA_DIR });
    await expect(serve({ ...ENVIRONMENT, DATA_DIR })).rejects.toThrow('is in use by another node');
    await first.stop();
    await (await serve({ ...ENVIRONMENT, DATA_DIR })).stop();
  });

  it('of a newer format stops the start', async () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'data-folder-'));
    writeFileSync(join(DATA_DIR, 'node.json'), '{"format":3}');
    await expect(serve({ ...ENVIRONMENT, DATA_DIR })).rejects.toThrow('has format 3');
  });
});
