import { checkHistory } from '../check-history';
import type { Operation } from '../history';
import { leaseModel, type LeaseInput, type LeaseOutput } from './lease-model';

/** Goal: each way in which leases and fences can go wrong, and what only looks wrong, each as a short history. */
type Op = Operation<LeaseInput, LeaseOutput>;

const KEY = 'lease-1';
const TTL_MS = 100;

/** One operation: called and returned at these times; without an output its outcome is unknown. */
function at(calledAt: number, returnedAt: number, input: LeaseInput, output?: LeaseOutput): Op {
  const process = 'owner' in input ? input.owner : 'reader';
  return { process, input, calledAt, ...(output && { completion: { output, returnedAt } }) };
}

const acquire = (owner: string): LeaseInput => ({ op: 'acquire', key: KEY, owner, ttlMs: TTL_MS });
const renew = (owner: string, token: number): LeaseInput => ({
  op: 'renew',
  key: KEY,
  owner,
  token,
  ttlMs: TTL_MS,
});
const release = (owner: string, token: number): LeaseInput => ({ op: 'release', key: KEY, owner, token });
const read: LeaseInput = { op: 'read', key: KEY };
const guard = (token: number): LeaseInput => ({ op: 'guard', key: KEY, token });
/** Taken, prolonged or seen as taken at this time of the log. */
const held = (owner: string, token: number, tsMs: number): LeaseOutput => ({
  kind: 'held',
  owner,
  token,
  expiresAtMs: tsMs + TTL_MS,
});
const passed = (commitSeq: number, tsMs: number): LeaseOutput => ({ kind: 'passed', commitSeq, tsMs });
const stale: LeaseOutput = { kind: 'fence_stale' };
const lost: LeaseOutput = { kind: 'lease_lost' };
const absent: LeaseOutput = { kind: 'absent' };
const released: LeaseOutput = { kind: 'released' };

const takenByA = at(1, 2, acquire('a'), held('a', 5, 1_000));

const legal: Record<string, readonly Op[]> = {
  'taken, prolonged, given up, taken by another': [
    takenByA,
    at(3, 4, renew('a', 5), held('a', 5, 1_050)),
    at(5, 6, release('a', 5), released),
    at(7, 8, acquire('b'), held('b', 6, 1_060)),
  ],
  'taken by another right at its end': [takenByA, at(3, 4, acquire('b'), held('b', 6, 1_100))],
  'held, as whoever asks is told': [
    takenByA,
    at(3, 4, acquire('b'), { kind: 'lease_held', owner: 'a', expiresAtMs: 1_100 }),
    at(5, 6, read, held('a', 5, 1_000)),
  ],
  'taken again by its owner, with a new token': [
    takenByA,
    at(3, 4, acquire('a'), held('a', 7, 1_010)),
    at(5, 6, guard(5), stale),
    at(7, 8, guard(7), passed(8, 1_020)),
  ],
  'a write that came before another took the lease': [
    takenByA,
    at(3, 8, guard(5), passed(6, 1_090)),
    at(4, 5, acquire('b'), held('b', 7, 1_100)),
  ],
  'a write refused because the lease ran out': [takenByA, at(3, 4, guard(5), stale), at(5, 6, read, absent)],
  'lost to somebody of whom nobody heard': [
    takenByA,
    at(3, 9, acquire('b')),
    at(4, 5, renew('a', 5), { kind: 'lease_lost', holder: { owner: 'b', expiresAtMs: 1_500 } }),
    at(6, 7, guard(9), passed(12, 1_450)),
  ],
  'prolonged by nobody knows how much': [
    takenByA,
    at(3, 9, renew('a', 5)),
    at(4, 5, guard(5), passed(6, 1_150)),
    at(6, 7, acquire('b'), held('b', 8, 1_400)),
  ],
  'given up, though nobody heard': [
    takenByA,
    at(3, 9, release('a', 5)),
    at(4, 5, acquire('b'), held('b', 8, 1_020)),
  ],
};

const illegal: Record<string, readonly Op[]> = {
  'two holders at once': [takenByA, at(3, 4, acquire('b'), held('b', 6, 1_099))],
  'a token that was given out before': [
    takenByA,
    at(3, 4, release('a', 5), released),
    at(5, 6, acquire('b'), held('b', 5, 1_010)),
  ],
  'a token that goes back': [takenByA, at(3, 4, acquire('a'), held('a', 4, 1_010))],
  'a write under a token of before': [
    takenByA,
    at(3, 4, acquire('b'), held('b', 6, 1_100)),
    at(5, 6, guard(5), passed(7, 1_110)),
  ],
  'a write after its lease ran out': [takenByA, at(3, 4, guard(5), passed(6, 1_100))],
  'a write after its lease was given up': [
    takenByA,
    at(3, 4, release('a', 5), released),
    at(5, 6, guard(5), passed(6, 1_010)),
  ],
  'a write at a position of before its lease': [takenByA, at(3, 4, guard(5), passed(4, 1_010))],
  'a write refused under the newest token': [
    takenByA,
    at(3, 4, guard(5), stale),
    at(5, 6, guard(5), passed(6, 1_020)),
  ],
  'prolonged after it ran out': [takenByA, at(3, 4, renew('a', 5), held('a', 5, 1_100))],
  'prolonged at a time of before': [takenByA, at(3, 4, renew('a', 5), held('a', 5, 990))],
  'prolonged after another took it': [
    takenByA,
    at(3, 4, acquire('b'), held('b', 6, 1_200)),
    at(5, 6, renew('a', 5), held('a', 5, 1_210)),
  ],
  'lost, and then held under the same token': [
    takenByA,
    at(3, 4, renew('a', 5), lost),
    at(5, 6, read, held('a', 5, 1_000)),
  ],
  'lost without a reason': [
    takenByA,
    at(3, 4, renew('a', 5), { kind: 'lease_lost', holder: { owner: 'a', expiresAtMs: 1_100 } }),
  ],
  'held by somebody who never asked': [
    takenByA,
    at(3, 4, acquire('b'), { kind: 'lease_held', owner: 'c', expiresAtMs: 1_100 }),
  ],
  'refused though nobody holds it': [
    takenByA,
    at(3, 4, release('a', 5), released),
    at(5, 6, acquire('b'), { kind: 'lease_held', owner: 'a', expiresAtMs: 1_100 }),
  ],
  'free, and then as it was': [takenByA, at(3, 4, read, absent), at(5, 6, read, held('a', 5, 1_000))],
  'given up by somebody else': [takenByA, at(3, 4, release('b', 5), released)],
  'an answer of another kind': [at(1, 2, acquire('a'), released), at(3, 4, read, stale)],
};

it.each(Object.entries(legal))('allows: %s', (_name, history) => {
  expect(checkHistory(leaseModel, history).verdict).toBe('linearizable');
});

it.each(Object.entries(illegal))('finds: %s', (_name, history) => {
  expect(checkHistory(leaseModel, history).verdict).toBe('illegal');
});

it('judges each lease on its own, and says what it found', () => {
  const other = { ...takenByA, input: { ...takenByA.input, key: 'lease-2' } };
  const result = checkHistory(leaseModel, [takenByA, other, at(3, 4, acquire('b'), held('b', 6, 1_099))]);
  expect(result).toMatchObject({ verdict: 'illegal', partitionKey: KEY });
  expect((result as { explanation: string }).explanation).toBe(
    [
      'lease-1: not linearizable. 1 of 2 completed operations fit in this order:',
      '  1 2 a acquire lease-1 by a for 100 => held 5 by a until 1100',
      'which leaves: held by a until 1100, token: commit_seq 5, from position 5 and time 1000 on',
      'Before the answer at 4 one of these has to come next, and none fits:',
      '  3 4 b acquire lease-1 by b for 100 => held 6 by b until 1199',
    ].join('\n'),
  );
});
