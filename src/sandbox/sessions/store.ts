import { randomBytes, randomUUID } from 'node:crypto';
import { workflowFeatures } from '../decision/features.js';
import { personNumber } from '../decision/people.js';
import type { Session } from './session.js';
import { isUnfinished } from './transitions.js';

/** What a new session is told; the rest starts empty. */
export type NewSession = Pick<Session, 'createdAt' | 'expiresAt' | 'lapsesAt'> & Partial<Session>;

const firstNumber = 12_000;

/** A session that no store knows: what a standalone call that keeps nothing is answered from. */
export const makeSession = (number: number, given: NewSession): Session => ({
  id: randomUUID(),
  number,
  token: randomBytes(9).toString('base64url'),
  type: 'HOSTED',
  features: workflowFeatures,
  person: personNumber(number),
  vendorData: null,
  workflowId: null,
  workflowVersion: 1,
  language: null,
  contactDetails: null,
  expectedDetails: null,
  metadata: null,
  callback: null,
  status: 'Not Started',
  scenario: 'clean',
  screened: null,
  checks: new Map(),
  reviews: [],
  consented: false,
  version: 0,
  ...given,
});

/** The sessions, newest last. Beyond `limit` the oldest is forgotten. */
export class SessionStore {
  readonly #limit: number;
  readonly #byId = new Map<string, Session>();
  readonly #idByToken = new Map<string, string>();
  readonly #idsByVendorData = new Map<string, Set<string>>();
  #nextNumber = firstNumber;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(given: NewSession): Session {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const session = makeSession(number, given);
    this.#byId.set(session.id, session);
    this.#idByToken.set(session.token, session.id);
    if (session.vendorData !== null) this.#idsOf(session.vendorData).add(session.id);
    this.#forgetOldest();
    return session;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  byToken(token: string): Session | undefined {
    return this.#byId.get(this.#idByToken.get(token) ?? '');
  }

  delete(session: Session): void {
    this.#byId.delete(session.id);
    this.#idByToken.delete(session.token);
    if (session.vendorData === null) return;
    const ids = this.#idsByVendorData.get(session.vendorData);
    ids?.delete(session.id);
    if (ids?.size === 0) this.#idsByVendorData.delete(session.vendorData);
  }

  /** Newest first; of one vendor_data only, where that is given. */
  *newestFirst(vendorData?: string): Generator<Session> {
    const ids = vendorData === undefined ? this.#byId.keys() : (this.#idsByVendorData.get(vendorData) ?? []);
    for (const id of [...ids].toReversed()) {
      const session = this.#byId.get(id);
      if (session !== undefined) yield session;
    }
  }

  /** The session that a create for the same vendor_data gets again instead of a new one. */
  unfinished(vendorData: string, workflowVersion: number): Session | undefined {
    for (const session of this.newestFirst(vendorData)) {
      const same = session.type === 'HOSTED' && session.workflowVersion === workflowVersion;
      if (same && isUnfinished(session.status)) return session;
    }
    return undefined;
  }

  all(): Iterable<Session> {
    return this.#byId.values();
  }

  clear(): void {
    this.#byId.clear();
    this.#idByToken.clear();
    this.#idsByVendorData.clear();
    this.#nextNumber = firstNumber;
  }

  #idsOf(vendorData: string): Set<string> {
    const ids = this.#idsByVendorData.get(vendorData) ?? new Set();
    this.#idsByVendorData.set(vendorData, ids);
    return ids;
  }

  #forgetOldest(): void {
    if (this.#byId.size <= this.#limit) return;
    const oldest = this.#byId.values().next().value;
    if (oldest !== undefined) this.delete(oldest);
  }
}
