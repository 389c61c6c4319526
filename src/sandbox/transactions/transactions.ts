import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../wire/json.js';

/** A transaction as it was judged when it came; nothing moves it afterwards. */
export interface Transaction {
  readonly uuid: string;
  readonly number: number;
  readonly txnId: string;
  readonly report: JsonObject;
}

const firstNumber = 4_000;
const maxKept = 20_000;

/** The application's transactions, newest last. */
export class Transactions {
  readonly #byUuid = new Map<string, Transaction>();
  readonly #txnIds = new Set<string>();
  #next = firstNumber;

  has(txnId: string): boolean {
    return this.#txnIds.has(txnId);
  }

  add(txnId: string, report: (uuid: string, number: number) => JsonObject): Transaction {
    const uuid = randomUUID();
    const number = this.#next;
    this.#next += 1;
    const transaction = { uuid, number, txnId, report: report(uuid, number) };
    this.#byUuid.set(uuid, transaction);
    this.#txnIds.add(txnId);
    const oldest = this.#byUuid.values().next().value;
    if (this.#byUuid.size > maxKept && oldest !== undefined) {
      this.#byUuid.delete(oldest.uuid);
      this.#txnIds.delete(oldest.txnId);
    }
    return transaction;
  }

  get(uuid: string): Transaction | undefined {
    return this.#byUuid.get(uuid);
  }

  newestFirst(): Transaction[] {
    return [...this.#byUuid.values()].toReversed();
  }

  clear(): void {
    this.#byUuid.clear();
    this.#txnIds.clear();
    this.#next = firstNumber;
  }
}
