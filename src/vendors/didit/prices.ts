import { ConfigError, type VendorCost } from '../../platform/index.js';
import { type OperationName, OPERATIONS } from './operations.js';

const DECIMALS = 6;

/** What Didit charges for an answer, as far as the operator has told (`vendors.didit.prices`); in millionths, since money is no float. */
export class PriceList {
  readonly #costs = new Map<string, VendorCost>();

  /** @param operations decimal texts by operation. @throws ConfigError naming an operation that there is not, or that is never charged. */
  constructor(currency: string, operations: Readonly<Record<string, string>>) {
    for (const [name, price] of Object.entries(operations)) {
      const setting = `vendors.didit.prices.operations.${name}`;
      if (!Object.hasOwn(OPERATIONS, name)) throw new ConfigError('is no operation of this vendor', setting);
      if (!OPERATIONS[name as OperationName].billed) throw new ConfigError('is not charged by this vendor', setting);
      const [whole = '0', fraction = ''] = price.split('.');
      this.#costs.set(name, { micros: Number(whole + fraction.padEnd(DECIMALS, '0')), currency });
    }
  }

  /** Undefined where it charges nothing, or no price was told. */
  of(operation: OperationName): VendorCost | undefined {
    return this.#costs.get(operation);
  }
}
