import { randomBytes, randomUUID } from 'node:crypto';
import type { RegisteredCompany } from '../decision/company-reports.js';
import type { JsonObject } from '../wire/json.js';

export type BusinessStatus = 'ACTIVE' | 'FLAGGED' | 'BLOCKED';

/** What Didit keeps of a business. Instants are epoch milliseconds on the wall clock. */
export interface Business {
  readonly id: string;
  readonly vendorData: string | null;
  displayName: string | null;
  legalName: string | null;
  registrationNumber: string | null;
  countryCode: string | null;
  status: BusinessStatus;
  metadata: JsonObject;
  readonly createdAt: number;
  updatedAt: number;
}

const maxKept = 10_000;

/** The application's businesses, newest last, and the companies that a search of the registers offers for choice. */
export class Businesses {
  readonly #byId = new Map<string, Business>();
  readonly #choices = new Map<string, RegisteredCompany>();

  add(given: Omit<Business, 'id'>): Business {
    const business = { id: randomUUID(), ...given };
    this.#byId.set(business.id, business);
    bound(this.#byId);
    return business;
  }

  find(vendorData: string): Business | undefined {
    return this.newestFirst().find((business) => business.vendorData === vendorData);
  }

  newestFirst(): Business[] {
    return [...this.#byId.values()].toReversed();
  }

  /** An id by which this company can be chosen. */
  choice(company: RegisteredCompany): string {
    const id = randomBytes(12).toString('hex');
    this.#choices.set(id, company);
    bound(this.#choices);
    return id;
  }

  chosen(id: string): RegisteredCompany | undefined {
    return this.#choices.get(id);
  }

  clear(): void {
    this.#byId.clear();
    this.#choices.clear();
  }
}

const bound = (map: Map<string, unknown>): void => {
  const oldest = map.keys().next().value;
  if (map.size > maxKept && oldest !== undefined) map.delete(oldest);
};
