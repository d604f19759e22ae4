/** Goal: builds leave most of the time to writes, and end all the same. Method: steps of all kinds. */
import { pauseAfter } from './build-pace';

describe('the pause after a step of a build', () => {
  it('is none where nobody wrote meanwhile, however long the step took', () => {
    for (const tookMs of [0, 1, 10, 10_000]) expect(pauseAfter({ tookMs, others: 0 })).toBe(0);
  });

  it('is three times the step beside writes, and has an end', () => {
    expect(pauseAfter({ tookMs: 10, others: 1 })).toBe(30);
    expect(pauseAfter({ tookMs: 20, others: 500 })).toBe(60);
    expect(pauseAfter({ tookMs: 60_000, others: 1 })).toBe(250);
  });
});
