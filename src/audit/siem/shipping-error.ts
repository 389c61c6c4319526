/** What keeps a receiver from the log; `kind` is all that is shown of it: a receiver's own words can quote what it was sent. */
export class ShippingError extends Error {
  constructor(readonly kind: string) {
    super(kind);
    this.name = 'ShippingError';
  }
}

const KIND = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** One word for what went wrong: the error's kind, its code or its name, and never its message. */
export function kindOf(error: unknown): string {
  const { kind, code, name } = (error ?? {}) as { kind?: unknown; code?: unknown; name?: unknown };
  return [kind, code, name].find((word): word is string => typeof word === 'string' && KIND.test(word)) ?? 'unknown';
}
