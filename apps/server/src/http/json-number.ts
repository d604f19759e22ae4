/** Tokens with fewer digits, and no exponent, always survive: a double keeps 15 significant decimal digits. */
export const DIGITS_ALWAYS_EXACT = 15;

/**
 * Whether a JSON number, once read into a double and written again, still has the same decimal value. Both are
 * brought into one form, `0.digits × 10^exponent`, without any arithmetic on the digits.
 */
export function survivesAsDouble(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && decimalForm(token) === decimalForm(String(value));
}

function decimalForm(token: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(token);
  if (!parts) throw new Error('not a JSON number');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = whole + fraction;
  let start = 0;
  while (start < digits.length && digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  if (start === end) return '0';
  return `${sign}${digits.slice(start, end)}e${Number(exponent) + whole.length - start}`;
}
