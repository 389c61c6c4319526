/**
 * A shipment that a receiver did not take. It tells a code and nothing else: what was sent, what was answered and what a TLS library says
 * of a certificate may all hold what belongs in no log (rule 3).
 */
export class ReceiverFailure extends Error {
  /** @param code such as `http-503`, `timeout`, `ECONNREFUSED`. */
  constructor(readonly code: string) {
    super(`the receiver did not take the shipment (${code})`);
    this.name = 'ReceiverFailure';
  }

  /** Keeps the system's or library's code of an error of a connection, and nothing of its text. */
  static of(error: unknown): ReceiverFailure {
    if (error instanceof ReceiverFailure) return error;
    const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
    const known = [code, cause?.code].find((one) => typeof one === 'string' && /^[A-Z0-9_]{2,64}$/.test(one));
    return new ReceiverFailure(typeof known === 'string' ? known : 'connection');
  }
}
