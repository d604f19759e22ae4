import fc from 'fast-check';
import { survivesAsDouble } from './json-number';

describe('survivesAsDouble', () => {
  it.each([
    '0',
    '-0',
    '0.0',
    '0e5',
    '1.50',
    '1e3',
    '10E-1',
    '9007199254740992',
    '1e22',
    '5e-324',
    '100000000000000000000',
  ])('takes %s', (token) => {
    expect(survivesAsDouble(token)).toBe(true);
  });

  it.each([
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '1e-400',
    '0.12345678901234567891',
    '1152921504606846976',
    '2e-324',
  ])('refuses %s', (token) => {
    expect(survivesAsDouble(token)).toBe(false);
  });

  it('takes every double in every notation that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(survivesAsDouble(String(value))).toBe(true);
        expect(survivesAsDouble(value.toExponential())).toBe(true);
      }),
      { seed: 42 },
    );
  });

  it('agrees with exact arithmetic on whole numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (value) => {
        expect(survivesAsDouble(String(value))).toBe(printsAs(value));
      }),
      { seed: 42 },
    );
  });
});

/** Whether what JavaScript prints for the nearest double is this whole number, by exact arithmetic. */
function printsAs(value: bigint): boolean {
  const [mantissa = '', exponent = '0'] = Number(value).toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const power = Number(exponent) - fraction.length;
  return power >= 0
    ? BigInt(whole + fraction) * 10n ** BigInt(power) === value
    : BigInt(whole + fraction) === value * 10n ** BigInt(-power);
}
