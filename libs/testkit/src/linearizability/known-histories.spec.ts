import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkHistory } from './check-history';
import { keyValueModel } from './models/key-value-model';
import { registerModel } from './models/register-model';
import { readEtcdJepsenLog } from './readers/etcd-jepsen-log';
import { readKeyValueEdn } from './readers/key-value-edn';

/**
 * Goal: the checker gives every verdict that is known of histories that others recorded and judged (porcupine's test
 * data). They lie in `shared/linearizability`, in a parent folder or in AGENTSTATE_SHARED; a fresh clone has none.
 */
function findHistories(): string | undefined {
  const override = process.env.AGENTSTATE_SHARED;
  if (override) {
    const candidate = join(override, 'linearizability');
    return existsSync(candidate) ? candidate : undefined;
  }
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'shared', 'linearizability');
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

const histories = findHistories();

if (!histories) {
  it.skip('left out: histories with known verdicts, for want of a folder shared/linearizability', () => {});
} else {
  describe('key-value histories', () => {
    const folder = join(histories, 'kv');
    it.each(readdirSync(folder))('%s', (name) => {
      const history = readKeyValueEdn(readFileSync(join(folder, name), 'utf8'));
      expect(history.length).toBeGreaterThan(30);
      expect(checkHistory(keyValueModel, history).verdict).toBe(
        name.includes('ok') ? 'linearizable' : 'illegal',
      );
    });
  });

  describe('register histories of etcd', () => {
    const folder = join(histories, 'etcd-jepsen');
    const verdicts = readFileSync(join(folder, 'verdicts.csv'), 'utf8').trim().split('\n').slice(1);
    it.each(verdicts.map((line) => line.split(',') as [string, string]))(
      '%s linearizable: %s',
      (name, known) => {
        const history = readEtcdJepsenLog(readFileSync(join(folder, name), 'utf8'));
        expect(history.length).toBeGreaterThan(60);
        expect(checkHistory(registerModel, history).verdict).toBe(
          known === 'true' ? 'linearizable' : 'illegal',
        );
      },
    );
  });
}
