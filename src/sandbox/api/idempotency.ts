import { createHash } from 'node:crypto';
import type { Answer } from '../wire/answers.js';

interface Kept {
  readonly digest: string;
  readonly answer: Answer;
}

const maxKept = 10_000;

/** First answers by `Idempotency-Key`: the same body gets it again, another body a conflict. */
export class IdempotentAnswers {
  readonly #kept = new Map<string, Kept>();

  find(key: string, body: Buffer): Answer | 'conflict' | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    return kept.digest === digestOf(body) ? kept.answer : 'conflict';
  }

  keep(key: string, body: Buffer, answer: Answer): void {
    this.#kept.set(key, { digest: digestOf(body), answer });
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  clear(): void {
    this.#kept.clear();
  }
}

const digestOf = (body: Buffer): string => createHash('sha256').update(body).digest('base64');
