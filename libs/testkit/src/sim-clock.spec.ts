import { SimClock } from './sim-clock';

describe('SimClock', () => {
  it('runs what falls due in order of time, then of making, with what that starts', () => {
    const clock = new SimClock();
    const ran: string[] = [];
    clock.after(20, () => ran.push(`late at ${clock.monotonicMs()}`));
    clock.after(10, () => {
      ran.push('first');
      clock.after(0, () => ran.push('started'));
    });
    clock.after(10, () => ran.push('second'));
    const cancel = clock.after(5, () => ran.push('cancelled'));
    cancel();
    clock.advance(15);
    expect(ran).toEqual(['first', 'second', 'started']);
    expect([clock.monotonicMs(), clock.nextDueMs()]).toEqual([15, 20]);
    clock.advance(10);
    expect(ran.at(-1)).toBe('late at 20');
    expect([clock.monotonicMs(), clock.runNext()]).toEqual([25, false]);
  });

  it('moves the wall clock alone', () => {
    const clock = new SimClock(0, 1_000);
    clock.jumpWall(-500);
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([500, 0]);
  });
});
