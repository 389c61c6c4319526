/** Millionths of the currency: the finest part that a price can have. */
const PARTS = 6;

export interface Prices {
  currency: string;
  /** Decimal text by vendor operation. */
  operations: Readonly<Record<string, string>>;
}

export interface Cost {
  /** Decimal text with two to six places. */
  amount: string;
  currency: string;
  /** Answered calls of operations that have no price. */
  unpriced: number;
}

/** What the vendor's answers cost, to the last digit; null while no price is known. */
export function costOf(answered: ReadonlyMap<string, number>, prices: Prices): Cost | null {
  if (Object.keys(prices.operations).length === 0) return null;
  let parts = 0n;
  let unpriced = 0;
  for (const [operation, count] of answered) {
    const price = Object.hasOwn(prices.operations, operation) ? prices.operations[operation] : undefined;
    if (price === undefined) unpriced += count;
    else parts += BigInt(count) * partsOf(price);
  }
  return { amount: decimal(parts), currency: prices.currency, unpriced };
}

function partsOf(price: string): bigint {
  const [whole = '0', fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(PARTS, '0'));
}

function decimal(parts: bigint): string {
  const digits = parts.toString().padStart(PARTS + 1, '0');
  const fraction = digits.slice(-PARTS).replace(/0{1,4}$/, '');
  return `${digits.slice(0, -PARTS)}.${fraction}`;
}
