/**
 * An exact non-negative decimal: `units` divided by ten to the power of `scale`.
 * The limits of the law are strict (`higher than 10 %`), so a rounding of the last digit would turn a result over.
 */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** A decimal as JSON carries it: exact as a string, or a number of at most 15 significant digits. */
export type DecimalInput = string | number;

/** What a decimal string looks like: digits, optionally a point and digits; no sign, no exponent, no leading zeros. */
export const DECIMAL_PATTERN = /^(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Exponents appear only in what JavaScript prints for a number such as 1e+21 or 1e-7. */
const PRINTED_NUMBER = /^(?<whole>\d+)(?:\.(?<fraction>\d+))?(?:e(?<exponent>[+-]\d+))?$/;

export const ZERO: Decimal = { units: 0n, scale: 0 };

/**
 * Reads a decimal. A number is taken by its shortest printed form, which is what was written as long as
 * that had no more than 15 significant digits (`findImpreciseNumbers` refuses the others).
 * Throws a RangeError for what is negative, not finite or not a decimal.
 */
export function decimalOf(value: DecimalInput): Decimal {
  const written = typeof value === 'number' ? String(value) : value;
  if (typeof value === 'string' && !DECIMAL_PATTERN.test(value)) throw new RangeError('not a non-negative decimal');
  const parts = PRINTED_NUMBER.exec(written)?.groups;
  if (parts === undefined) throw new RangeError('not a non-negative decimal');
  const fraction = parts.fraction ?? '';
  const units = BigInt(`${parts.whole ?? ''}${fraction}`);
  const scale = fraction.length - Number(parts.exponent ?? 0);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

/** Negative, zero or positive as `left` is less than, equal to or greater than `right`. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const difference = unitsAt(left, scale) - unitsAt(right, scale);
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

/** The exact sum; it keeps the longer of the two scales, so that cents stay cents. */
export function addDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

/** Whether `part` is strictly more than `percent` % of `whole`, by cross multiplication: nothing is divided or rounded. */
export function exceedsPercent(part: Decimal, whole: Decimal, percent: number): boolean {
  const hundredfold = { units: part.units * 100n, scale: part.scale };
  const limit = { units: whole.units * BigInt(percent), scale: whole.scale };
  return compareDecimals(hundredfold, limit) > 0;
}

export function formatDecimal({ units, scale }: Decimal): string {
  if (scale === 0) return String(units);
  const digits = String(units).padStart(scale + 1, '0');
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function unitsAt(decimal: Decimal, scale: number): bigint {
  return decimal.units * 10n ** BigInt(scale - decimal.scale);
}
