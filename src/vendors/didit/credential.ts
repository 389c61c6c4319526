import type { Secret } from '../../platform/index.js';

/** How the gateway proves itself to the vendor: an API key today, OAuth client credentials or mTLS behind the same two methods. */
export interface VendorCredential {
  /** Headers to send; the object also stands for the credential that they came from. */
  headers(): Promise<Record<string, string>>;
  /** Tells that the vendor refused these headers. True when another credential is in force now and one more try makes sense. */
  rejected(headers: Record<string, string>): boolean;
}

/** Didit's `x-api-key`: one key, or two while rotating. The one that worked last is used first. */
export class ApiKeyCredential implements VendorCredential {
  readonly #presented: readonly Record<string, string>[];
  #current = 0;

  constructor(keys: readonly Secret[]) {
    if (keys.length === 0 || keys.length > 2) throw new Error('one API key is needed, or two while rotating');
    this.#presented = keys.map((key) => Object.freeze({ 'x-api-key': key.reveal() }));
  }

  headers(): Promise<Record<string, string>> {
    const headers = this.#presented[this.#current];
    return headers === undefined ? Promise.reject(new Error('no API key')) : Promise.resolve(headers);
  }

  rejected(headers: Record<string, string>): boolean {
    if (this.#presented.length < 2) return false;
    // Many calls fail together when a key is revoked: only the first of them may switch, or they would switch back and forth.
    if (this.#presented[this.#current] === headers) this.#current = 1 - this.#current;
    return true;
  }
}
