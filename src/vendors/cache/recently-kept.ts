import { hash } from 'node:crypto';

const MOST_KNOWN = 10_000;
/** An unchanged answer is written again after this, for the sake of its age. */
const AGAIN_AFTER_MS = 60_000;

interface Known {
  at: number;
  digest: string;
  resource: string;
  fresh: boolean;
}

/** What this instance has kept lately, so that reading the same again and again writes nothing. */
export class RecentlyKept {
  readonly #known = new Map<string, Known>();

  /** Whether it is worth keeping: it was not kept lately, or says something else now. */
  isNews(key: string, body: string, nowMs: number): boolean {
    const known = this.#known.get(key);
    if (known === undefined || nowMs - known.at >= AGAIN_AFTER_MS) return true;
    return known.digest !== hash('sha256', body, 'base64');
  }

  /** Whether the vendor allowed it to be used without asking when it was kept. */
  mayBeFresh(key: string): boolean {
    return this.#known.get(key)?.fresh === true;
  }

  note(key: string, resource: string, body: string, fresh: boolean, nowMs: number): void {
    this.#known.delete(key);
    if (this.#known.size >= MOST_KNOWN) {
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
    this.#known.set(key, { at: nowMs, digest: hash('sha256', body, 'base64'), resource, fresh });
  }

  forget(resources: ReadonlySet<string>): void {
    for (const [key, { resource }] of this.#known) if (resources.has(resource)) this.#known.delete(key);
  }
}
