import { StateError, type LogIndex } from '#contracts';
import { PendingReads } from './pending-reads';

const at = (index: number): LogIndex => index as LogIndex;
const BASE = 7 * 0x1_0000_0000;

describe('pending linearizable reads', () => {
  let told: string[];
  let reads: PendingReads;
  beforeEach(() => {
    told = [];
    reads = new PendingReads(BASE);
  });
  const add = (name: string, deadlineMs = 100): void =>
    reads.add(
      deadlineMs,
      () => told.push(`${name} run`),
      (error) => told.push(`${name} ${error.code}`),
    );

  test('that come before a round share it, later ones get the next', () => {
    add('a');
    add('b');
    const first = reads.beginRound(0);
    expect(reads.waiting).toBe(false);
    add('c');
    const second = reads.beginRound(0);
    expect(second).not.toBe(first);
    reads.confirmed(first, at(5), at(5));
    expect({ told, size: reads.size }).toEqual({ told: ['a run', 'b run'], size: 1 });
    reads.confirmed(second, at(5), at(5));
    expect(told).toEqual(['a run', 'b run', 'c run']);
  });

  test('wait until the confirmed index is applied', () => {
    add('a');
    reads.confirmed(reads.beginRound(0), at(9), at(7));
    reads.appliedTo(at(8));
    expect({ told, size: reads.size }).toEqual({ told: [], size: 1 });
    reads.appliedTo(at(9));
    reads.appliedTo(at(9));
    expect({ told, size: reads.size }).toEqual({ told: ['a run'], size: 0 });
  });

  test('start over under a fresh context, and an answer to the old one is nothing', () => {
    add('a', 1_000);
    const lost = reads.beginRound(0);
    expect(reads.retry(49, 50)).toBe(false);
    expect(reads.retry(50, 50)).toBe(true);
    const again = reads.beginRound(50);
    reads.confirmed(lost, at(1), at(9));
    reads.failed(lost);
    expect(told).toEqual([]);
    reads.confirmed(again, at(1), at(9));
    expect(told).toEqual(['a run']);
  });

  test('fail with no_leader when the core says so', () => {
    add('a');
    reads.failed(reads.beginRound(0));
    expect({ told, size: reads.size }).toEqual({ told: ['a no_leader'], size: 0 });
  });

  test('end at their deadlines, wherever they stand', () => {
    add('applying', 10);
    reads.confirmed(reads.beginRound(0), at(9), at(1));
    add('asked', 20);
    const round = reads.beginRound(0);
    add('asked too', 40);
    const other = reads.beginRound(0);
    add('gathering', 30);
    reads.expire(9);
    expect(told).toEqual([]);
    reads.expire(30);
    expect(told.sort()).toEqual(['applying timeout', 'asked timeout', 'gathering timeout']);
    reads.confirmed(round, at(1), at(9));
    reads.appliedTo(at(9));
    expect(told).toHaveLength(3);
    reads.confirmed(other, at(1), at(9));
    expect(told).toContain('asked too run');
  });

  test('are all told when the node stops', () => {
    add('applying');
    reads.confirmed(reads.beginRound(0), at(9), at(1));
    add('asked');
    reads.beginRound(0);
    add('gathering');
    reads.rejectAll(() => new StateError('draining', 'stopping'));
    expect({ told: told.sort(), size: reads.size }).toEqual({
      told: ['applying draining', 'asked draining', 'gathering draining'],
      size: 0,
    });
  });

  test('have contexts of their own on each member', () => {
    expect(new PendingReads(BASE).beginRound(0)).not.toBe(new PendingReads(2 * BASE).beginRound(0));
  });
});
